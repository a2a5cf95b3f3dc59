import type { LayoutName } from '../../broadcast/protocol/view.ts'
import { BLOCK_SIDE, type CellBounds, unite } from '../../compositor/draw/cell.ts'
import { PANEL_SIDE } from '../../compositor/draw/flow-look.ts'
import type { BlockIndex } from '../block-index.ts'
import type { ScopeStore } from '../store.ts'
import type { LiveTokens } from '../view/live-tokens.ts'
import { blockTargets, type Followed, panelTarget } from './follow.ts'

/** Bounds grow by so many units at a time: by the token they would change with each. */
const STEP: Record<LayoutName, number> = { map: BLOCK_SIDE / 2, flow: PANEL_SIDE, timeline: 1 }

/** All that a layout has, by the server's word, and on the map by what has landed since, too. */
export function boundsOfAnswer(
  layout: LayoutName,
  told: readonly [number, number, number, number] | null,
  blocks: BlockIndex,
): CellBounds | null {
  const step = STEP[layout]
  const bounds = told && {
    left: Math.floor(told[0] / step) * step,
    top: Math.floor(told[1] / step) * step,
    right: Math.ceil(told[2] / step) * step,
    bottom: Math.ceil(told[3] / step) * step,
  }
  return layout === 'map' ? unite(bounds, blocks.bounds) : bounds
}

/**
 * What following is to keep in view.
 *
 * @param t the time that is shown, Unix seconds; null: now
 * @param origin the time at x = 0 of `timeline`
 */
export function followedOf(
  layout: LayoutName,
  bounds: CellBounds | null,
  live: LiveTokens,
  store: ScopeStore,
  t: number | null,
  origin: number | null,
): Followed {
  const writing = t === null ? live.generations : []
  if (layout === 'map') return { bounds, targets: blockTargets(store.blocks, writing), newest: null }
  if (layout === 'flow') {
    const ends = writing.map(generation => live.endOf(generation)).filter(end => end !== null)
    return { bounds, targets: ends.map(panelTarget), newest: null }
  }
  const now = t ?? (writing.length > 0 ? store.now : null)
  return { bounds, targets: [], newest: now === null || origin === null ? null : (now - origin) * 1000 }
}
