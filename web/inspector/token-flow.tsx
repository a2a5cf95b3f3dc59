import { useEffect, useRef, useState } from 'preact/hooks'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'
import { FlowChunk } from './flow-chunk.tsx'
import { FlowText } from './flow-text.tsx'
import { useTokenInk } from './use-token-ink.ts'

/** Tokens shown as tokens; a longer text shows a window of them around the chosen one or at its end. */
const WINDOW = 600
/** Tokens that are drawn anew together. */
const CHUNK = 50

interface Props {
  generation: Generation
  chosen: number | null
}

/** The text of a generation, each token underlined in its colour on the map; a click chooses it. */
export function TokenFlow({ generation, chosen }: Props) {
  const { selection } = useScope()
  const ink = useTokenInk(generation)
  const box = useRef<HTMLParagraphElement>(null)
  // Where the reader went by hand; null: around the chosen one, or at the end.
  const [around, setAround] = useState<number | null>(null)
  generation.revision.value // read, so that what grows is drawn anew
  const { tokens } = generation

  useEffect(() => setAround(null), [generation, chosen])
  useEffect(() => {
    const current = box.current?.querySelector<HTMLElement>('[data-chosen=true]')
    if (chosen === null || !box.current || !current) return
    // Only the text scrolls, never the panel: the token's numbers stay where one looks at them.
    box.current.scrollTop = current.offsetTop - box.current.clientHeight / 2
  }, [generation, chosen])

  if (tokens.held === 0)
    return generation.text === '' ? null : (
      <p class="flow flow-plain">
        <FlowText text={generation.text} />
      </p>
    )
  const middle = around ?? chosen ?? tokens.end
  const from = Math.max(tokens.first, Math.min(middle - WINDOW / 2, tokens.end - WINDOW))
  const to = Math.min(tokens.end, from + WINDOW)
  const pick = (event: MouseEvent) => {
    const index = (event.target as HTMLElement).dataset?.index
    if (index !== undefined) selection.token(generation, Number(index))
  }
  const chunks = []
  for (let at = Math.floor(from / CHUNK) * CHUNK; at < to; at += CHUNK)
    chunks.push(
      <FlowChunk
        key={at}
        generation={generation}
        from={Math.max(from, at)}
        to={Math.min(to, at + CHUNK)}
        chosen={chosen}
        ink={ink}
      />,
    )
  const more = (count: number, words: string, to: number) => (
    <button type="button" class="flow-more" onClick={() => setAround(to)}>
      … {count} {words} …
    </button>
  )
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard walks with the arrows
    <p class="flow" data-boxed={chosen !== null} ref={box} onClick={pick}>
      {from > tokens.first ? more(from - tokens.first, 'earlier', from - 1) : null}
      {chunks}
      {to < tokens.end ? more(tokens.end - to, 'later', to + 1) : null}
    </p>
  )
}
