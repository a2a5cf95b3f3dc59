import { cividisCss } from '../../compositor/draw/cividis.ts'
import type { Alternative } from '../../events/generation.ts'
import { formatPercent } from '../format.ts'
import type { TokenDetail } from '../token-columns.ts'
import { TokenText } from './token-text.tsx'

interface Row {
  text: string
  p: number
  chosen: boolean
}

/** The alternatives of a token as bars, likeliest first; the token itself is among them and marked. */
export function AlternativeBars({ token, most }: { token: TokenDetail; most: number }) {
  const rows = rowsOf(token, most)
  return (
    <ol class="bars">
      {rows.map((row, i) => (
        <li key={i} class="bar" data-chosen={row.chosen}>
          <span class="bar-text">
            <TokenText text={row.text} />
          </span>
          <span class="bar-track">
            <span class="bar-fill" style={{ width: `${row.p * 100}%`, background: cividisCss(row.p) }} />
          </span>
          <span class="bar-p">{formatPercent(row.p)}</span>
        </li>
      ))}
    </ol>
  )
}

function rowsOf(token: TokenDetail, most: number): Row[] {
  const sorted = [...token.top].sort((a, b) => b.logprob - a.logprob)
  const same = ownAmong(sorted, token)
  const rows = sorted.map(
    (of): Row => ({ text: of.text, p: Math.min(1, Math.exp(of.logprob)), chosen: of === same }),
  )
  const own = rows.find(row => row.chosen) ?? ownRow(token)
  const shown = rows.slice(0, most)
  // A token that was drawn although others were likelier must not be missing from its own list.
  if (own !== null && !shown.includes(own)) {
    if (shown.length === most) shown.pop()
    shown.push(own)
  }
  return shown
}

/** Two alternatives may read the same (byte tokens do): the token is the one with its probability. */
function ownAmong(top: readonly Alternative[], token: TokenDetail): Alternative | undefined {
  const away = (of: Alternative) => Math.abs(of.logprob - (token.logprob ?? of.logprob))
  return top.filter(of => of.text === token.text).sort((a, b) => away(a) - away(b))[0]
}

function ownRow(token: TokenDetail): Row | null {
  return token.confidence === null ? null : { text: token.text, p: token.confidence, chosen: true }
}
