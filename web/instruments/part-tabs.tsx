import { useScope } from '../scope.ts'
import { type InstrumentPart, PARTS } from './instrument-part.ts'

const NAMES: Record<InstrumentPart, string> = { tokens: 'Tokens', structure: 'Structure' }
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 }

/** Chooses what the instruments measure. The arrows go from one to the next. */
export function PartTabs() {
  const { part } = useScope()
  const step = (event: KeyboardEvent) => {
    const by = STEPS[event.key]
    if (by === undefined) return
    event.preventDefault()
    const next = PARTS.at((PARTS.indexOf(part.value) + by) % PARTS.length) as InstrumentPart
    part.value = next
    document.getElementById(`part-${next}`)?.focus()
  }
  return (
    <div class="part-tabs" role="tablist" aria-label="What is measured" onKeyDown={step}>
      {PARTS.map(one => (
        <button
          key={one}
          type="button"
          role="tab"
          id={`part-${one}`}
          data-testid={`part-${one}`}
          aria-selected={part.value === one}
          aria-controls="instruments-body"
          tabIndex={part.value === one ? 0 : -1}
          onClick={() => {
            part.value = one
          }}
        >
          {NAMES[one]}
        </button>
      ))}
    </div>
  )
}
