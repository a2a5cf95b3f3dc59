import { scaleColour } from '../../compositor/draw/colour-scale.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import { formatPercent } from '../format.ts'
import { visibleText } from '../invisible.ts'
import { beginningOf } from '../long-text.ts'
import { useScope } from '../scope.ts'
import type { TokenDetail } from '../token-columns.ts'
import { IconBranch } from './icons.tsx'
import { type Candidate, candidatesOf } from './likelihood.ts'
import { TokenText } from './token-text.tsx'

/** UTF-16 units of an alternative that its button is named by. */
const MOST_SAID = 100

interface Props {
  token: Pick<TokenDetail, 'text' | 'logprob' | 'confidence' | 'top'>
  most: number
  /** Shows what is left for all other tokens as a bar of its own. */
  whole?: boolean
  /** Goes on with an alternative instead; the bars have a button for it then. */
  onTake?: ((text: string) => void) | undefined
}

/** The alternatives of a token as bars, likeliest first; the token itself is among them and marked. */
export function AlternativeBars({ token, most, whole, onTake }: Props) {
  const scale = useScope().look.scale.value
  const { rows, rest } = candidatesOf(token, most)
  return (
    <ol class="bars" data-takes={onTake !== undefined}>
      {rows.map((row, i) => (
        <li key={i} class="bar" data-chosen={row.chosen}>
          <span class="bar-text">
            <TokenText text={row.text} />
          </span>
          <span class="bar-track">
            <span
              class="bar-fill"
              style={{ width: `${row.p * 100}%`, background: cssOfRgba(scaleColour(row.p, scale)) }}
            />
          </span>
          <span class="bar-p">{formatPercent(row.p)}</span>
          {onTake === undefined ? null : <Take row={row} onTake={onTake} />}
        </li>
      ))}
      {whole && rest !== null ? (
        <li class="bar bar-rest">
          <span class="bar-text">all others</span>
          <span class="bar-track">
            <span class="bar-fill" style={{ width: `${rest * 100}%` }} />
          </span>
          <span class="bar-p">{formatPercent(rest)}</span>
        </li>
      ) : null}
    </ol>
  )
}

/** What can be said again by its text; a part of a character cannot. */
function Take({ row, onTake }: { row: Candidate; onTake: (text: string) => void }) {
  if (row.chosen || row.text === '' || row.text.includes('\ufffd')) return <span />
  const words = `Continue with “${visibleText(beginningOf(row.text, MOST_SAID).shown)}” instead`
  return (
    <button type="button" class="take" title={words} aria-label={words} onClick={() => onTake(row.text)}>
      <IconBranch />
    </button>
  )
}
