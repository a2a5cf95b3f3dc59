import type { ShownView } from '../view/view-stage.ts'
import type { MapViewOptions } from './map-view.ts'

/** How often colours of age are made anew, in milliseconds. */
const AGE_EACH_MS = 1000

/** Colours that tell age change with time alone: in how many milliseconds what is shown is too old; null: never. */
export function oldIn(
  { look, playhead, store }: Pick<MapViewOptions, 'look' | 'playhead' | 'store'>,
  shown: ShownView | null,
): number | null {
  if (look.color.peek() !== 'age' || playhead.at.peek() !== null || shown === null) return null
  return Math.max(0, AGE_EACH_MS - (store.now - shown.style.now) * 1000)
}
