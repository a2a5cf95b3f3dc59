import { useScope } from '../scope.ts'

/** Zoom, fit and follow, for who has no wheel. */
export function MapControls() {
  const { map } = useScope()
  const view = map.value
  const following = view?.following.value ?? true
  return (
    <div class="map-controls" role="toolbar" aria-label="Map">
      <button
        type="button"
        class="chip follow-chip"
        data-testid="follow"
        aria-pressed={following}
        title="Keep what is live in view (f)"
        onClick={() => view?.follow()}
      >
        <span class="follow-dot" aria-hidden="true" />
        {following ? 'following' : 'follow'}
      </button>
      <div class="button-group">
        <button
          type="button"
          title="Zoom out (−)"
          aria-label="Zoom out"
          onClick={() => view?.zoom(1 / 1.6, null, true)}
        >
          −
        </button>
        <button type="button" title="Show everything (0)" onClick={() => view?.fit()}>
          fit
        </button>
        <button
          type="button"
          title="Zoom in (+)"
          aria-label="Zoom in"
          onClick={() => view?.zoom(1.6, null, true)}
        >
          +
        </button>
      </div>
    </div>
  )
}
