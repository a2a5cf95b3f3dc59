import { effect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { loadPageFont } from '../draw/glyph-rasterizer.ts'
import { type Scope, useScope } from '../scope.ts'
import type { Insets } from './camera.ts'
import { attachGestures } from './gestures.ts'
import { GpuSupply } from './gpu-supply.ts'
import { MapChrome } from './map-chrome.tsx'
import { MapEmpty } from './map-empty.tsx'
import { MapTooltip } from './map-tooltip.tsx'
import { MapView } from './map-view.ts'

/** The row at the foot of the map, in CSS pixels. */
const FOOT = 44
/** Where less than this is left free, what floats lies over the map rather than beside it. */
const LEAST_FREE = 120

/** How much of each edge of the map is covered by what floats on it, in CSS pixels. */
function measureInsets(host: HTMLElement): Insets {
  const stage = host.parentElement as HTMLElement
  const { clientWidth, clientHeight } = host
  const box = host.getBoundingClientRect()
  // Where there is no room for all of it side by side it is several rows.
  const left = host.querySelector('.foot-left')?.getBoundingClientRect()
  const foot = left && left.height > 0 ? Math.max(FOOT, box.bottom - left.top) : FOOT
  const insets = { left: 0, top: 0, right: 0, bottom: foot }
  for (const panel of stage.querySelectorAll<HTMLElement>('.inspector, .first-run')) {
    const { x, y, width } = panel.getBoundingClientRect()
    if (width === 0) continue // hidden where there is no room for it
    const left = x - box.x
    const top = y - box.y
    if (width > clientWidth * 0.6) insets.bottom = Math.max(insets.bottom, clientHeight - top)
    else if (left > clientWidth / 2) insets.right = Math.max(insets.right, clientWidth - left)
    else if (top < clientHeight / 2) insets.left = Math.max(insets.left, left + width)
    else insets.bottom = Math.max(insets.bottom, clientHeight - top)
  }
  if (clientHeight - insets.bottom < LEAST_FREE) insets.bottom = foot
  if (clientWidth - insets.left - insets.right < LEAST_FREE) insets.left = insets.right = 0
  return insets
}

/** Has the map drawn by a GPU as soon as and as long as there is one. The supply is to be stopped at the end. */
function supplyGpu(view: MapView, under: HTMLElement): GpuSupply {
  // Typed as always there, which it is not.
  const gpu = navigator.gpu as GPU | undefined
  const supply = new GpuSupply({
    gpu,
    secure: window.isSecureContext,
    software: new URLSearchParams(location.search).get('draw') === 'webgpu',
    prepare: async device => {
      // Its code is fetched where it is of use, after the first picture.
      const { WebgpuPictures } = await import('../view/webgpu-pictures.ts')
      return WebgpuPictures.create(device, gpu as GPU, under, view.context)
    },
    drawWith: layer => view.drawWith(layer),
    without: reason => {
      view.withoutGpu.value = reason
    },
    report: error => reportError(error),
  })
  supply.start()
  return supply
}

/** Chooses a token by its id, `<generation>:<index>`, bringing it to this page where it is not here. */
function openToken({ library }: Scope, id: string): void {
  const colon = id.lastIndexOf(':')
  // Where it cannot be had the library says why.
  void library.open(id.slice(0, colon), Number(id.slice(colon + 1)))
}

/** The map, edge to edge, and what floats on it. */
export function ScopeMap() {
  const scope = useScope()
  const host = useRef<HTMLDivElement>(null)
  const under = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)

  useEffect(() => {
    const surface = canvas.current as HTMLCanvasElement
    const box = host.current as HTMLDivElement
    const below = under.current as HTMLDivElement
    const { store, client, look, playhead } = scope
    const view = new MapView({ canvas: surface, under: below, store, client, look, playhead })
    scope.map.value = view
    const measure = () => {
      view.resize(box.clientWidth, box.clientHeight, window.devicePixelRatio || 1)
      view.cover(measureInsets(box))
      view.drawNow()
    }
    const observer = new ResizeObserver(measure)
    observer.observe(box)
    // A window that goes to a screen of another pixel ratio keeps its size.
    window.addEventListener('resize', measure)
    measure()
    const supply = supplyGpu(view, below)
    const detach = attachGestures(surface, view, at => {
      void view.tokenAt(at).then(token => {
        if (token === null) scope.selection.clear()
        else openToken(scope, token.id)
      })
    })
    const stopEffects = [
      effect(() => {
        const chosen = scope.selection.current.value
        scope.firstRun.open.value // read: the hint covers a part of the map as well
        // What floats is there, or gone, once the page has been drawn.
        requestAnimationFrame(() => {
          view.cover(measureInsets(box))
          view.pin(chosen)
        })
      }),
      effect(() => {
        view.withoutGpu.value // read: the line about it covers a part of the map as well
        requestAnimationFrame(() => view.cover(measureInsets(box)))
      }),
      effect(() => {
        scope.theme.shown.value // read, so that this runs again when it changes
        view.retheme()
      }),
    ]
    // Text in cells is drawn with the bundled face, which may come after the first frame.
    void loadPageFont().then(() => view.retheme())
    return () => {
      for (const stop of stopEffects) stop()
      supply.stop()
      detach()
      observer.disconnect()
      window.removeEventListener('resize', measure)
      view.stop()
      scope.map.value = null
    }
  }, [scope])

  const pickMiddle = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    void scope.map.value?.tokenInMiddle().then(token => {
      if (token !== null) openToken(scope, token.id)
    })
  }

  return (
    <div class="map" ref={host}>
      <div class="map-under" ref={under} aria-hidden="true" />
      <canvas
        ref={canvas}
        class="map-canvas"
        data-testid="map"
        tabIndex={0}
        role="img"
        aria-label="Map of tokens. Arrows pan, plus and minus zoom, 0 fits, Enter looks at the token in the middle."
        onKeyDown={pickMiddle}
      />
      <MapEmpty />
      <MapChrome />
      <MapTooltip />
    </div>
  )
}
