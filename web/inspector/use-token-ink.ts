import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'
import type { TokenInk } from './token-colour.ts'

/** Ages are told anew after so many seconds: the whole text would be coloured anew with each moment. */
const AGE_STEP_S = 5

/** How the tokens of a generation are coloured, as the map is looked at. */
export function useTokenInk(generation: Generation): TokenInk {
  const { look, map, store, playhead } = useScope()
  const models = map.value?.facts.models.value ?? []
  const number = generation.model === null ? -1 : models.indexOf(generation.model)
  const color = look.color.value
  return {
    color,
    scale: look.scale.value,
    now: color === 'age' ? (playhead.at.value ?? Math.ceil(store.now / AGE_STEP_S) * AGE_STEP_S) : 0,
    model: number === -1 ? null : number,
  }
}
