import { useMemo } from 'preact/hooks'
import type { Generation } from '../generation.ts'
import { FlowText } from './flow-text.tsx'
import { type TokenInk, tokenColour } from './token-colour.ts'

interface Props {
  generation: Generation
  from: number
  to: number
  chosen: number | null
  ink: TokenInk
}

/** Some tokens of a text. They are drawn anew only where something about them changed. */
export function FlowChunk({ generation, from, to, chosen, ink }: Props) {
  const { tokens } = generation
  const mine = chosen !== null && chosen >= from && chosen < to ? chosen : null
  let held = 0
  for (let i = from; i < to; i++) if (tokens.has(i)) held++
  const { color, scale, now, model } = ink
  return useMemo(() => {
    const spans = []
    let missing = 0
    for (let i = from; i <= to; i++) {
      const gone = i < to && !tokens.has(i)
      if (gone) missing++
      else if (missing > 0) {
        spans.push(<Gap key={`gap${i}`} count={missing} />)
        missing = 0
      }
      if (gone || i === to) continue
      const colour = tokenColour(tokens, i, { color, scale, now, model })
      spans.push(
        <span
          key={i}
          data-index={i}
          class="flow-token"
          data-chosen={i === mine}
          data-kind={tokens.kind(i)}
          data-unknown={colour === null}
          style={colour === null ? {} : { '--token': colour }}
        >
          <FlowText text={tokens.text(i)} />
        </span>,
      )
    }
    return spans
  }, [generation, from, to, held, mine, color, scale, now, model])
}

function Gap({ count }: { count: number }) {
  const words = `${count} ${count === 1 ? 'token' : 'tokens'} not held on this page`
  return <span class="flow-gap" role="img" aria-label={words} title={words} />
}
