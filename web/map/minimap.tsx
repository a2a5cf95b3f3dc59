import { effect } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ColorName, LayoutName, ViewFilter } from '../../broadcast/protocol/view.ts'
import type { ScaleName } from '../../compositor/draw/colour-scale.ts'
import { AXIS_HEIGHT } from '../../compositor/draw/time-axis.ts'
import { useScope } from '../scope.ts'
import type { MapView } from './map-view.ts'
import { isMore, type MinimapCamera, minimapCamera, minimapRect } from './minimap-camera.ts'
import { MinimapSupply } from './minimap-supply.ts'

/** CSS pixels. */
const WIDTH = 176
const HEIGHT = 112
/** As many pixels on a fine screen; from 360 on the server would write a legend into it. */
const MOST_RATIO = 2

/** What hardly peeps out is not worth a minimap. */
const APPEARING_SLACK = 0.03

interface Question {
  layout: LayoutName
  color: ColorName
  scale: ScaleName
  theme: 'dark' | 'light'
  filter: ViewFilter | null
  t: number | null
  camera: MinimapCamera
  ratio: number
}

/** All that a layout has, small, and which part of it is seen; dragged, it moves the map. */
export function Minimap() {
  const scope = useScope()
  const { map, look, theme, playhead, panel } = scope
  const canvas = useRef<HTMLCanvasElement>(null)
  const [camera, setCamera] = useState<MinimapCamera | null>(null)
  const more = useMore()
  const shown = look.minimap.value === 'shown' && panel.value === null && more

  useEffect(() => {
    if (!shown) return
    const supply = new MinimapSupply<Question, ImageBitmap>({
      draw: askPicture,
      show: (picture, question) => {
        const surface = canvas.current
        if (surface === null) return
        const axis = axisOf(question)
        surface.width = picture.width
        surface.height = picture.height - axis
        surface.getContext('2d')?.drawImage(picture, 0, -axis)
        picture.close()
        setCamera(question.camera)
      },
      now: () => performance.now(),
      after: (callback, ms) => {
        const timer = setTimeout(callback, ms)
        return () => clearTimeout(timer)
      },
    })
    const ask = () => {
      const all = map.value?.facts.bounds.value ?? null
      const [layout, color, scale] = [look.layout.value, look.color.value, look.scale.value]
      const filter = look.filter.value
      const t = playhead.at.value
      const [dark, held] = [theme.shown.value, t === null ? scope.store.held.value : 0]
      if (all === null || document.hidden || canvas.current?.offsetParent === null) return
      const ratio = Math.min(MOST_RATIO, window.devicePixelRatio || 1)
      const seen = minimapCamera(layout, all, WIDTH, HEIGHT)
      void held // read: what came since belongs into the picture
      supply.want(
        { layout, color, scale, theme: dark, filter, t, camera: seen, ratio },
        JSON.stringify([layout, color, scale, dark, filter, t === null, ratio]),
      )
    }
    const stopAsking = effect(ask)
    document.addEventListener('visibilitychange', ask)
    // Where there is no room for it the stylesheet takes it away, and gives it back.
    const observer = new ResizeObserver(ask)
    if (canvas.current !== null) observer.observe(canvas.current)
    return () => {
      stopAsking()
      observer.disconnect()
      document.removeEventListener('visibilitychange', ask)
      supply.rest()
      setCamera(null)
    }
  }, [scope, shown])

  if (!shown) return null
  // While another layout's picture is on its way the old one tells nothing.
  const known = camera?.layout === look.layout.value ? camera : null
  return (
    <div
      class="minimap"
      data-testid="minimap"
      data-known={known !== null}
      title="All there is. Drag to move; m hides it."
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label="All there is, small. A frame marks the part that is seen."
        onPointerDown={event => {
          if (known !== null && event.button === 0) drag(event, known, scope.map.value)
        }}
      />
      {known === null ? null : <SeenFrame camera={known} />}
    </div>
  )
}

/** Whether there is more than is seen: only then a minimap tells something. It does not flicker at the edge. */
function useMore(): boolean {
  const { map } = useScope()
  const [more, setMore] = useState(false)
  useEffect(
    () =>
      effect(() => {
        const bounds = map.value?.facts.bounds.value ?? null
        const seen = map.value?.facts.seen.value
        if (bounds === null || seen === undefined) setMore(false)
        else setMore(before => isMore(bounds, seen, before ? 0 : APPEARING_SLACK))
      }),
    [map],
  )
  return more
}

/** The part that is seen. */
function SeenFrame({ camera }: { camera: MinimapCamera }) {
  const { map } = useScope()
  const seen = map.value?.facts.seen.value
  if (!seen) return null
  const { left, top, right, bottom } = minimapRect(camera, seen, WIDTH, HEIGHT)
  return (
    <span
      class="minimap-seen"
      data-testid="minimap-seen"
      style={{
        width: `${right - left}px`,
        height: `${bottom - top}px`,
        transform: `translate(${left}px, ${top}px)`,
      }}
    />
  )
}

/** Moves the map as long as the pointer is down: its middle to the pointer, or with the pointer where it was caught. */
function drag(press: PointerEvent, camera: MinimapCamera, map: MapView | null): void {
  const surface = press.currentTarget
  if (map === null || !(surface instanceof HTMLElement)) return
  const box = surface.getBoundingClientRect()
  const unitsAt = (event: PointerEvent) => ({
    x: camera.x + (event.clientX - box.left) / camera.zoom,
    y: camera.y + (event.clientY - box.top) / camera.zoomY,
  })
  const { x, y, ...zooms } = map.pose()
  const at = unitsAt(press)
  const seen = map.facts.seen.peek()
  const inside = at.x >= seen.left && at.x <= seen.right && at.y >= seen.top && at.y <= seen.bottom
  const grip = inside ? { x: x - at.x, y: y - at.y } : { x: 0, y: 0 }
  const move = (event: PointerEvent) => {
    const to = unitsAt(event)
    map.goTo({ x: to.x + grip.x, y: to.y + grip.y, ...zooms })
  }
  const dragging = new AbortController()
  const { signal } = dragging
  const end = (event: PointerEvent) => {
    if (event.pointerId === press.pointerId) dragging.abort()
  }
  surface.setPointerCapture(press.pointerId)
  surface.addEventListener('pointermove', event => event.pointerId === press.pointerId && move(event), {
    signal,
  })
  surface.addEventListener('pointerup', end, { signal })
  surface.addEventListener('pointercancel', end, { signal })
  if (!inside) move(press)
}

/** Pixels at the top of its picture that are the axis, which has no place in one this small. */
function axisOf({ layout }: Question): number {
  return layout === 'timeline' ? AXIS_HEIGHT + 1 : 0
}

/** @throws Error where there is no picture now */
async function askPicture(question: Question): Promise<ImageBitmap> {
  const { layout, color, scale, theme, filter, t, camera, ratio } = question
  const query = new URLSearchParams({ layout, color, scale, theme })
  query.set('w', String(Math.round(WIDTH * ratio)))
  const axis = axisOf(question)
  query.set('h', String(Math.round(HEIGHT * ratio) + axis))
  query.set('x', String(camera.x))
  query.set('y', String(camera.y - axis / (camera.zoomY * ratio)))
  query.set('zoom', String(camera.zoom * ratio))
  query.set('zoom_y', String(camera.zoomY * ratio))
  if (t !== null) query.set('t', String(t))
  for (const id of filter?.generations ?? []) query.append('generation', id)
  for (const model of filter?.models ?? []) query.append('model', model)
  for (const kind of filter?.kinds ?? []) query.append('kind', kind)
  const answer = await fetch(`/scope/v1/frame.png?${query}`)
  if (!answer.ok) throw new Error(`There is no picture: ${answer.status}`)
  return createImageBitmap(await answer.blob())
}
