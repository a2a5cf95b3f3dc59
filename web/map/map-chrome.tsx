import { useEffect, useState } from 'preact/hooks'
import { useScope } from '../scope.ts'
import { DeepLink } from './deep-link.ts'
import { DrawNote } from './draw-note.tsx'
import { LayoutSwitch } from './layout-switch.tsx'
import { MapControls } from './map-controls.tsx'
import { MapLegend } from './map-legend.tsx'
import { Minimap } from './minimap.tsx'

/** What floats at the foot of the map: how it is looked at on the left, where one is on the right. */
export function MapChrome() {
  const scope = useScope()
  const [link] = useState(() => new DeepLink(scope))
  useEffect(() => {
    link.start()
    return () => link.stop()
  }, [link])
  const trouble = scope.library.trouble.value
  return (
    <div class="map-chrome">
      {trouble === null ? null : (
        <p class="map-trouble notice float" role="alert" data-testid="map-trouble">
          <span>{trouble.message}</span>
          <button type="button" class="chip" onClick={() => scope.library.dismiss()}>
            dismiss
          </button>
        </p>
      )}
      <div class="map-foot">
        <div class="foot-left">
          <DrawNote />
          <div class="foot-look">
            <LayoutSwitch />
            <MapLegend />
          </div>
        </div>
        <div class="foot-right">
          <Minimap />
          <MapControls link={() => link.url} />
        </div>
      </div>
    </div>
  )
}
