import { useEffect, useRef } from 'preact/hooks'
import { cividisCss } from '../../compositor/draw/cividis.ts'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'

/** Tokens shown as tokens; a longer text shows a window of them around the chosen one or at its end. */
const WINDOW = 600

interface Props {
  generation: Generation
  chosen: number | null
}

/** The text of a generation, each token underlined in the colour of its confidence; a click chooses it. */
export function TokenFlow({ generation, chosen }: Props) {
  const { selection } = useScope()
  const box = useRef<HTMLParagraphElement>(null)
  const current = useRef<HTMLSpanElement>(null)
  generation.revision.value // read, so that what grows is drawn anew
  const { tokens } = generation

  useEffect(() => {
    if (chosen === null || !box.current || !current.current) return
    // Only the text scrolls, never the panel: the token's numbers stay where one looks at them.
    box.current.scrollTop = current.current.offsetTop - box.current.clientHeight / 2
  }, [chosen])

  if (tokens.held === 0) {
    return generation.text === '' ? null : <p class="flow flow-plain">{generation.text}</p>
  }
  const middle = chosen ?? tokens.end
  const from = Math.max(tokens.first, Math.min(middle - WINDOW / 2, tokens.end - WINDOW))
  const to = Math.min(tokens.end, from + WINDOW)
  const pick = (event: MouseEvent) => {
    const index = (event.target as HTMLElement).dataset?.index
    if (index !== undefined) selection.token(generation, Number(index))
  }
  const spans = []
  for (let i = from; i < to; i++) {
    if (!tokens.has(i)) continue
    const confidence = tokens.confidence(i)
    const unknown = Number.isNaN(confidence)
    spans.push(
      <span
        key={i}
        ref={i === chosen ? current : null}
        data-index={i}
        class="flow-token"
        data-chosen={i === chosen}
        data-kind={tokens.kind(i)}
        data-unknown={unknown}
        style={unknown ? {} : { borderColor: cividisCss(confidence) }}
      >
        {tokens.text(i)}
      </span>,
    )
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard walks with the arrows
    <p class="flow" data-boxed={chosen !== null} ref={box} onClick={pick}>
      {from > 0 ? <span class="flow-more">… </span> : null}
      {spans}
      {to < tokens.end ? <span class="flow-more"> …</span> : null}
    </p>
  )
}
