import { useEffect, useRef } from 'preact/hooks'
import { IconClose, IconNext, IconPrevious } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { GenerationView } from './generation-view.tsx'
import { TokenView } from './token-view.tsx'

/** What was chosen, closely: a token and its generation. Closed until something is. */
export function Inspector() {
  const { selection } = useScope()
  const panel = useRef<HTMLElement>(null)
  const chosen = selection.current.value
  const open = chosen !== null
  const opener = useRef<Element | null>(null)

  useEffect(() => {
    if (open) opener.current = document.activeElement
    // Who closes it with the keyboard goes on where they were.
    else if (opener.current instanceof HTMLElement && document.activeElement === document.body) {
      opener.current.focus({ preventScroll: true })
    }
  }, [open])

  if (chosen === null) return null
  const { generation, index } = chosen
  generation.revision.value // read, so that what grows is drawn anew
  const { tokens } = generation
  return (
    <aside class="inspector" data-testid="inspector" aria-label="Inspector" ref={panel}>
      <header class="panel-head">
        <h2>{index === null ? 'Generation' : 'Token'}</h2>
        {index === null ? null : (
          <span class="panel-place">
            {index + 1} of {tokens.end}
          </span>
        )}
        <span class="panel-tools">
          <button
            type="button"
            class="icon-button"
            aria-label="Previous token"
            title="Previous token (←)"
            disabled={tokens.held === 0 || (index !== null && index <= tokens.first)}
            onClick={() => selection.walk(-1)}
          >
            <IconPrevious />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Next token"
            title="Next token (→)"
            disabled={tokens.held === 0 || (index !== null && index >= tokens.end - 1)}
            onClick={() => selection.walk(1)}
          >
            <IconNext />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Close"
            title="Close (Esc)"
            onClick={() => selection.clear()}
          >
            <IconClose />
          </button>
        </span>
      </header>
      <div class="panel-body">
        {index === null ? null : <TokenView generation={generation} index={index} />}
        <GenerationView generation={generation} chosen={index} titled={index !== null} />
      </div>
    </aside>
  )
}
