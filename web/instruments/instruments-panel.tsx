import { type Signal, useSignal } from '@preact/signals'
import type { FunctionComponent } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { IconClose } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { WINDOW_S } from './samples.ts'

/** The instruments: how fast, how late, for whom, over the last ten minutes at most. What draws them comes when they are opened. */
export function InstrumentsPanel() {
  const { panel } = useScope()
  const [Body, setBody] = useState<FunctionComponent<{ windowS: Signal<number> }> | null>(null)
  const [trouble, setTrouble] = useState(false)
  const section = useRef<HTMLElement>(null)
  const windowS = useSignal(WINDOW_S)
  const close = () => {
    panel.value = null
  }

  useEffect(() => {
    let gone = false
    import('./instruments-body.tsx').then(
      ({ InstrumentsBody }) => {
        if (!gone) setBody(() => InstrumentsBody)
      },
      () => setTrouble(true),
    )
    section.current?.focus({ preventScroll: true })
    return () => {
      gone = true
    }
  }, [])

  return (
    <section
      ref={section}
      class="instruments"
      data-testid="instruments"
      aria-labelledby="instruments-title"
      tabIndex={-1}
    >
      <header class="panel-head">
        <h2 id="instruments-title">Instruments</h2>
        <span class="panel-place">
          last {windowS.value / 60} min · drag over a chart to see only that time
        </span>
        <span class="panel-tools">
          <button type="button" class="icon-button" aria-label="Close the instruments" onClick={close}>
            <IconClose />
          </button>
        </span>
      </header>
      <div class="instruments-body">
        {Body === null ? null : <Body windowS={windowS} />}
        {trouble ? (
          <p class="note instruments-trouble" role="alert">
            The charts could not be loaded: Tokenscope was stopped, or updated meanwhile. Reload the page.
          </p>
        ) : null}
      </div>
    </section>
  )
}
