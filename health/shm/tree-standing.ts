/** How the tree stands that a server scores: what `GET /scope/v1/shm` tells beside the report. */
import type { AssessProgress } from './assess.ts'

/** A score and when it was first seen, in Unix seconds. */
export interface SeenScore {
  at: number
  score: number | null
}

export interface TreeStanding {
  /** The folder, absolute; null: no tree is scored. */
  root: string | null
  /** `off`: no tree is scored. `scanning`: somebody asked for a scan, and it runs. `failed`: the last scan failed; `trouble` says why. */
  state: 'off' | 'scanning' | 'ready' | 'failed'
  /** Whether changes are seen by themselves, as they are while somebody watches. */
  watching: boolean
  /** How far the scan is; null while none runs. */
  progress: AssessProgress | null
  /** When the report was made, in Unix seconds; null: there is none yet. */
  scanned_at: number | null
  /** What keeps the score from being as it should, a sentence; null: nothing. */
  trouble: string | null
  /** Scores over the same partition, oldest first, the present one last. */
  history: SeenScore[]
}
