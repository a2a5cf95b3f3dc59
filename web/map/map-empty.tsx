import { useScope } from '../scope.ts'

/** What stands where the first token will land. */
export function MapEmpty() {
  const { store } = useScope()
  if (!store.ready.value || store.held.value > 0) return null
  const [newest] = store.list.value
  // They are still being read, or were imported and have no place.
  if (newest?.live !== true && store.list.value.some(({ told }) => told > 0)) return null
  return (
    <p class="map-empty">
      {newest?.live
        ? 'Waiting for the first token.'
        : 'No token yet. Type a prompt below, or point an app here.'}
    </p>
  )
}
