import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { COLORS } from '../../broadcast/protocol/view.ts'
import { useScope } from '../scope.ts'
import { COLOUR_WORDS } from './legend-words.ts'
import { SCALES } from './map-look.ts'
import { ScaleBar } from './scale-bar.tsx'

/** What the map's colours stand for, as a button that lets one choose another. */
export function ColourChoice() {
  const { look } = useScope()
  const [open, setOpen] = useState(false)
  const whole = useRef<HTMLDivElement>(null)
  const opener = useRef<HTMLButtonElement>(null)
  const color = look.color.value

  // Before anything else can be pressed: the focus goes where the keys are meant for.
  useLayoutEffect(() => {
    const host = whole.current
    if (!open || host === null) return
    host.querySelector<HTMLElement>('input:checked')?.focus()
    const listening = new AbortController()
    const { signal } = listening
    const onKey = (event: KeyboardEvent) => {
      const isDone = event.key === 'Escape' || (event.key === 'Enter' && event.target !== opener.current)
      if (!isDone) return
      event.preventDefault()
      setOpen(false)
      opener.current?.focus()
    }
    const onElsewhere = (target: EventTarget | null) => {
      if (target instanceof Node && !host.contains(target)) setOpen(false)
    }
    host.addEventListener('keydown', onKey, { signal })
    host.addEventListener('focusout', event => onElsewhere(event.relatedTarget), { signal })
    window.addEventListener('pointerdown', event => onElsewhere(event.target), { signal, capture: true })
    return () => listening.abort()
  }, [open])

  return (
    <div class="colour-choice" ref={whole}>
      <button
        type="button"
        class="colour-opener"
        data-testid="colour"
        ref={opener}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={`Colour: ${COLOUR_WORDS[color].title}`}
        title={COLOUR_WORDS[color].meaning}
        onClick={() => setOpen(!open)}
      >
        <span>{COLOUR_WORDS[color].title}</span>
        <svg class="icon" viewBox="0 0 8 8" width="8" height="8" aria-hidden="true" focusable="false">
          <path d="M1 5.5L4 2.5l3 3" />
        </svg>
      </button>
      {open ? (
        <div class="colour-sheet float" role="dialog" aria-label="Colour" data-testid="colour-sheet">
          <fieldset>
            <legend>Colour by</legend>
            {COLORS.map(name => (
              <label key={name} class="colour-option">
                <input
                  type="radio"
                  name="map-color"
                  value={name}
                  checked={name === color}
                  onChange={() => {
                    look.color.value = name
                  }}
                />
                <span class="colour-name">{COLOUR_WORDS[name].title}</span>
                <span class="colour-meaning">{COLOUR_WORDS[name].meaning}</span>
              </label>
            ))}
          </fieldset>
          <fieldset class="scale-options">
            <legend>Scale</legend>
            {SCALES.map(name => (
              <label key={name} class="scale-option">
                <input
                  type="radio"
                  name="map-scale"
                  value={name}
                  checked={name === look.scale.value}
                  onChange={() => {
                    look.scale.value = name
                  }}
                />
                <ScaleBar scale={name} label={null} />
                <span class="colour-name">{name}</span>
              </label>
            ))}
          </fieldset>
        </div>
      ) : null}
    </div>
  )
}
