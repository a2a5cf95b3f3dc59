import { type Signal, useSignal } from '@preact/signals'
import type { FunctionComponent } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { IconClose } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import type { InstrumentPart } from './instrument-part.ts'
import { PartTabs } from './part-tabs.tsx'
import { WINDOW_S } from './samples.ts'

type Body = FunctionComponent<{ windowS: Signal<number> }>

/** What draws a part comes when it is opened. */
const BODIES: Record<InstrumentPart, () => Promise<Body>> = {
  tokens: async () => (await import('./instruments-body.tsx')).InstrumentsBody,
  structure: async () => (await import('../structure/structure-body.tsx')).StructureBody,
}

/** The instruments: how fast, how late, for whom, over the last ten minutes at most; or how well a source tree is built. */
export function InstrumentsPanel() {
  const { panel, part } = useScope()
  const section = useRef<HTMLElement>(null)
  const windowS = useSignal(WINDOW_S)
  const { Body, isLost } = useBody(part.value)
  const close = () => {
    panel.value = null
  }

  useEffect(() => section.current?.focus({ preventScroll: true }), [])

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
        <PartTabs />
        <span class="panel-place">
          {part.value === 'tokens'
            ? `last ${windowS.value / 60} min · drag over a chart to see only that time`
            : 'how well the parts of a source tree keep apart'}
        </span>
        <span class="panel-tools">
          <button type="button" class="icon-button" aria-label="Close the instruments" onClick={close}>
            <IconClose />
          </button>
        </span>
      </header>
      <div
        id="instruments-body"
        class="instruments-body"
        role="tabpanel"
        aria-labelledby={`part-${part.value}`}
      >
        {Body === undefined ? null : <Body windowS={windowS} />}
        {isLost ? (
          <p class="note instruments-trouble" role="alert">
            The instruments could not be loaded: Tokenscope was stopped, or updated meanwhile. Reload the
            page.
          </p>
        ) : null}
      </div>
    </section>
  )
}

/** What draws a part, once it is there, and whether it cannot be had. */
function useBody(part: InstrumentPart): { Body: Body | undefined; isLost: boolean } {
  const [bodies, setBodies] = useState<Partial<Record<InstrumentPart, Body>>>({})
  const [lost, setLost] = useState<InstrumentPart | null>(null)
  useEffect(() => {
    let gone = false
    BODIES[part]().then(
      body => {
        if (!gone) setBodies(known => ({ ...known, [part]: body }))
      },
      () => setLost(part),
    )
    return () => {
      gone = true
    }
  }, [part])
  return { Body: bodies[part], isLost: lost === part }
}
