import { useSignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import type { PasReport } from '../../health/shm/report.ts'
import type { TreeStanding } from '../../health/shm/tree-standing.ts'
import { CopyButton } from '../frame/copy-button.tsx'
import { callServer } from '../server-api.ts'
import '../styles/structure.css'
import { AdviceList } from './advice-list.tsx'
import { CycleList } from './cycle-list.tsx'
import { DimensionTable } from './dimension-table.tsx'
import { isWide } from './dsm.ts'
import { DsmView } from './dsm-view.tsx'
import { Place } from './place.tsx'
import { ScanState } from './scan-state.tsx'
import { ScoreHead, ScoreHistory } from './score-head.tsx'
import { StructureDetails } from './structure-details.tsx'
import { StructureFeed } from './structure-feed.ts'
import { SubsystemTable } from './subsystem-table.tsx'

const BEAT_MS = 1000
const COMMAND = 'pnpm start --shm DIR'

/** How a source tree is built: its score, what it is made of, and what to do about it. */
export function StructureBody() {
  const [feed] = useState(() => new StructureFeed({ ask, scan, isSeen }))
  const beat = useSignal(0)

  useEffect(() => {
    const stop = feed.start()
    const look = () => void feed.look()
    document.addEventListener('visibilitychange', look)
    const beats = setInterval(() => {
      if (isSeen()) beat.value++
    }, BEAT_MS)
    return () => {
      stop()
      clearInterval(beats)
      document.removeEventListener('visibilitychange', look)
    }
  }, [])

  const report = feed.report.value
  const standing = feed.standing.value
  if (standing === null) {
    return (
      <p class="note" role="status">
        {feed.trouble.value}
      </p>
    )
  }
  if (standing.state === 'off') return <Off />
  const state = <ScanState feed={feed} beat={beat} />
  if (report === null) {
    return (
      <div class="structure-alone" data-testid="structure">
        <h3>{standing.state === 'failed' ? 'There is no score' : 'The first scan'}</h3>
        <p>
          <Place file={standing.root ?? ''} />
        </p>
        {state}
      </div>
    )
  }
  const isMatrixWide = isWide(report.dsm.length)
  return (
    <div class="structure" data-testid="structure">
      <div>
        <section aria-label="Score">
          <ScoreHead report={report} root={standing.root} />
          {state}
        </section>
        <ScoreHistory standing={feed.standing} beat={beat} />
        <SubsystemTable report={report} />
      </div>
      <div>
        <DimensionTable report={report} />
        <AdviceList report={report} />
      </div>
      <div>
        {isMatrixWide ? null : <DsmView report={report} />}
        <CycleList report={report} />
        <StructureDetails report={report} />
      </div>
      {isMatrixWide ? <DsmView report={report} /> : null}
    </div>
  )
}

/** No tree is scored: how one would be. */
function Off() {
  return (
    <div class="structure-alone" data-testid="structure-off">
      <h3>No source tree is scored</h3>
      <p class="note">Name a folder at the start, and its structure is scored here as it changes.</p>
      <p class="structure-command">
        <code>{COMMAND}</code>
        <CopyButton text={COMMAND} label="the command" />
      </p>
    </div>
  )
}

function isSeen(): boolean {
  return document.visibilityState === 'visible'
}

async function ask(): Promise<{ report: PasReport | null; standing: TreeStanding }> {
  const { data, metadata } = await callServer<PasReport | null>('GET', '/scope/v1/shm')
  return { report: data, standing: metadata as unknown as TreeStanding }
}

async function scan(): Promise<void> {
  await callServer<unknown>('POST', '/scope/v1/shm/scan')
}
