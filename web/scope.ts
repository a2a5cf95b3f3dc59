import { type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { ScopeClient } from '../broadcast/client.ts'
import type { FirstRun } from './frame/first-run-state.ts'
import type { Health } from './health.ts'
import type { InstrumentPart } from './instruments/instrument-part.ts'
import type { Library } from './library.ts'
import type { MapLook } from './map/map-look.ts'
import type { MapView } from './map/map-view.ts'
import type { Compose } from './prompt/compose.ts'
import type { Selection } from './selection.ts'
import type { ScopeStore } from './store.ts'
import type { Theme } from './theme.ts'
import type { Playhead } from './time/playhead.ts'
import type { SessionLine } from './time/session-line.ts'

/** What can lie over the map. */
export type Panel = 'compare' | 'instruments'

/** The parts of the page, made once in `main.tsx` and handed to every component. */
export interface Scope {
  store: ScopeStore
  client: ScopeClient
  health: Health
  selection: Selection
  /** Recorded generations: found, and brought to this page. */
  library: Library
  /** How the map is looked at. */
  look: MapLook
  /** Which moment is shown. */
  playhead: Playhead
  /** What was when. */
  line: SessionLine
  /** Ids of the generations that are compared, in the order in which they were chosen. */
  compared: Signal<readonly string[]>
  /** What lies over the map, if anything. */
  panel: Signal<Panel | null>
  /** Which part of the instruments is shown where they are. */
  part: Signal<InstrumentPart>
  /** What this page asks for. */
  compose: Compose
  theme: Theme
  firstRun: FirstRun
  /** Whether the sheet with the keys is open. */
  help: Signal<boolean>
  /** The map, once its canvas is there. */
  map: Signal<MapView | null>
  /** Whether the list of generations is open where it is a sheet. */
  railOpen: Signal<boolean>
  /** Whether the server has not been heard for so long that it is worth a word. */
  lost: ReadonlySignal<boolean>
  /** Ticks twice a second while something is live: for what grows, and numbers that change with time alone. */
  tick: Signal<number>
}

export const ScopeContext = createContext<Scope | null>(null)

/** The parts of the page. */
export function useScope(): Scope {
  const scope = useContext(ScopeContext)
  if (scope === null) throw new Error('a component is outside of the scope')
  return scope
}

/**
 * A clock that ticks while `running` says so, in a frame: what it has drawn anew is to cost one, not two.
 * It stands while the page is not seen.
 */
export function createTick(running: () => boolean, everyMs: number): Signal<number> {
  const tick = signal(0)
  let asked = false
  setInterval(() => {
    if (asked || !running()) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      tick.value++
    })
  }, everyMs)
  return tick
}
