import { CopyButton } from '../frame/copy-button.tsx'
import { IconLink, IconMinimap } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'

const ZOOM = 1.6

/** Follow, the link, the minimap, zoom and fit: for who has no wheel. */
export function MapControls({ link }: { link: () => string }) {
  const { map, look } = useScope()
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
        <span class="follow-word">{following ? 'following' : 'follow'}</span>
      </button>
      <div class="button-group map-tools">
        <CopyButton class="copy-link" text={link} label="link to this view" icon={<IconLink />} />
        <button
          type="button"
          class="minimap-toggle"
          data-testid="minimap-toggle"
          aria-pressed={look.minimap.value === 'shown'}
          aria-label="Minimap"
          title="Minimap, where there is more than is seen (m)"
          onClick={() => look.toggleMinimap()}
        >
          <IconMinimap />
        </button>
      </div>
      <div class="button-group map-zoom">
        <button
          type="button"
          title="Zoom out (−)"
          aria-label="Zoom out"
          onClick={() => view?.zoom(1 / ZOOM, null, true)}
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
          onClick={() => view?.zoom(ZOOM, null, true)}
        >
          +
        </button>
      </div>
    </div>
  )
}
