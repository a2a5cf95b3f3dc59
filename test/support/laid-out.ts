/** A layout with all that it stands on, without a composition around it. */
import type { LayoutName } from '../../broadcast/protocol/view.ts'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import { FlowLayout } from '../../compositor/layout/flow-layout.ts'
import { TokenStore } from '../../compositor/tokens/token-store.ts'
import { LaneIndex } from '../../compositor/view/lane-index.ts'
import { FlowIndex } from '../../compositor/view/spatial-flow.ts'
import { MapIndex } from '../../compositor/view/spatial-map.ts'
import { TimelineIndex } from '../../compositor/view/spatial-timeline.ts'
import { TileCounter } from '../../compositor/view/tile-counter.ts'
import { WatchedLayout } from '../../compositor/view/watched-layout.ts'
import type { LogEntry } from '../../events/generation.ts'

/** A layout of these entries, taken in part by part or, if `late`, all at once. */
export async function laidOut(layout: LayoutName, parts: readonly LogEntry[][], late: boolean) {
  const store = new TokenStore({ maxPages: 8 })
  const engine = new CpuEngine()
  const lanes = new LaneIndex(store)
  const flow = new FlowLayout({ store, engine })
  const index = {
    map: () => new MapIndex(store),
    flow: () => new FlowIndex(store, flow),
    timeline: () => new TimelineIndex(store, lanes),
  }[layout]()
  const watched = new WatchedLayout({ layout, store, index, version: 1 })
  for (const [i, part] of parts.entries()) {
    const runs = store.append(part)
    lanes.add(runs)
    await flow.append(runs)
    if (!late) watched.add(runs, i + 2)
    // What moved is summed anew by a build; a composition tells the layout where it was.
    if (flow.moved.length > 0 && !late) watched.build(i + 2)
  }
  if (late) watched.build(2)
  return { store, flow, watched, counter: new TileCounter({ store, engine, panelSide: flow.panelSide }) }
}
