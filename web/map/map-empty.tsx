import { useScope } from '../scope.ts'

/** What stands where the first token will land, or why there is nothing to be seen. */
export function MapEmpty() {
  const { store, map, look } = useScope()
  const view = map.value
  if (view === null || !store.ready.value) return null
  const refused = view.facts.refused.value
  if (refused !== null) return <p class="map-empty">{refused}</p>
  if (!view.facts.answered.value || view.facts.bounds.value !== null || store.held.value > 0) return null
  const words = look.filter.value === null ? emptyWords(store.list.value[0]?.live === true) : null
  return <p class="map-empty">{words ?? 'No token yet that passes the filter.'}</p>
}

function emptyWords(waits: boolean): string {
  return waits ? 'Waiting for the first token.' : 'No token yet. Type a prompt below, or point an app here.'
}
