import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { IconClose, IconNext, IconPrevious } from '../frame/icons.tsx'
import { type Scope, useScope } from '../scope.ts'
import type { Selected } from '../selection.ts'
import { GenerationView } from './generation-view.tsx'
import { IconDipNext, IconDipPrevious } from './icons.tsx'
import { TokenView } from './token-view.tsx'

/** What does something of its own with these keys. */
const OWN_KEYS = 'input, textarea, select, [contenteditable], [role=slider], [role=menu] *, [role=menuitem]'

/** What was chosen, closely: a token and its generation. Closed until something is. */
export function Inspector() {
  const { selection } = useScope()
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

  return chosen === null ? null : <InspectorPanel chosen={chosen} />
}

function InspectorPanel({ chosen }: { chosen: Selected }) {
  const scope = useScope()
  const { selection } = scope
  const [none, setNone] = useState<string | null>(null)
  const body = useRef<HTMLDivElement>(null)
  const { generation, index } = chosen
  generation.revision.value // read, so that what grows is drawn anew
  const { tokens } = generation

  const hesitate = (step: 1 | -1) => {
    const found = selection.hesitate(step)
    setNone(found ? null : step === 1 ? 'sure from here on' : 'sure up to here')
  }
  useEffect(() => setNone(null), [generation, index])
  // Whoever walks along a text keeps looking at the same numbers; anything else is read from its top.
  const whole = index === null
  useLayoutEffect(() => {
    if (body.current !== null) body.current.scrollTop = 0
  }, [generation, whole])
  // Before it is painted: a key may come as soon as it is seen.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (walkByKey(scope, event, hesitate)) event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [scope])

  const first = tokens.held === 0 || (index !== null && index <= tokens.first)
  const last = tokens.held === 0 || (index !== null && index >= tokens.end - 1)
  return (
    <aside class="inspector" data-testid="inspector" aria-label="Inspector">
      <header class="panel-head">
        <h2>{index === null ? 'Generation' : 'Token'}</h2>
        <span class="panel-place" role="status">
          {none ?? (index === null ? null : `${index + 1} of ${tokens.end}`)}
        </span>
        <span class="panel-tools">
          <button
            type="button"
            class="icon-button"
            data-testid="hesitation-previous"
            aria-label="Previous token that was hard to choose"
            title="Previous token that was hard to choose (p)"
            disabled={first}
            onClick={() => hesitate(-1)}
          >
            <IconDipPrevious />
          </button>
          <button
            type="button"
            class="icon-button"
            data-testid="hesitation-next"
            aria-label="Next token that was hard to choose"
            title="Next token that was hard to choose (n)"
            disabled={last}
            onClick={() => hesitate(1)}
          >
            <IconDipNext />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Previous token"
            title="Previous token (←)"
            disabled={first}
            onClick={() => selection.walk(-1)}
          >
            <IconPrevious />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Next token"
            title="Next token (→)"
            disabled={last}
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
      <div class="panel-body" ref={body}>
        {index === null ? null : <TokenView generation={generation} index={index} />}
        <GenerationView generation={generation} chosen={index} titled={index !== null} />
      </div>
    </aside>
  )
}

/** Home and End to the ends of the text, `n` and `p` to what was hard to choose. Says whether it was one of these. */
function walkByKey({ selection }: Scope, event: KeyboardEvent, hesitate: (step: 1 | -1) => void): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false
  const { target } = event
  if (target instanceof Element && target.matches(OWN_KEYS)) return false
  if (event.key === 'Home') selection.end('first')
  else if (event.key === 'End') selection.end('last')
  else if (event.key === 'n') hesitate(1)
  else if (event.key === 'p') hesitate(-1)
  else return false
  return true
}
