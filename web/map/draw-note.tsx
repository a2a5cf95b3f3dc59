import { useScope } from '../scope.ts'

/** Why the map is drawn the slower way, where it is. */
export function DrawNote() {
  const reason = useScope().map.value?.withoutGpu.value ?? null
  if (reason === null) return null
  return (
    <p class="draw-note" data-testid="draw-note">
      Drawn with Canvas 2D: {reason}.
    </p>
  )
}
