import { batch, computed, effect, type ReadonlySignal } from '@preact/signals'
import { COLORS, type ColorName, LAYOUTS, type LayoutName } from '../../broadcast/protocol/view.ts'
import type { ScaleName } from '../../compositor/draw/colour-scale.ts'
import type { Scope } from '../scope.ts'
import { narrowTo } from '../time/time-filter.ts'
import { type MapLook, SCALES } from './map-look.ts'
import type { MapView } from './map-view.ts'

/** What is looked at is at rest after this, in milliseconds. */
const REST_MS = 500
const MOST_ID = 200

/** The middle of what is seen, in units of the layout, and pixels of a unit. */
export interface LinkedPose {
  x: number
  y: number
  zoom: number
  /** Where it is another along y. */
  zoomY: number | null
}

/** A place that a link leads to. What is null it leaves as it is; of `t` that is live. */
export interface LinkedPlace {
  generation: string | null
  index: number | null
  layout: LayoutName | null
  color: ColorName | null
  scale: ScaleName | null
  /** What it is narrowed to, Unix seconds; null: to nothing, on that side. */
  since: number | null
  until: number | null
  pose: LinkedPose | null
  /** Unix seconds. */
  t: number | null
}

/** The place in a link's fragment, with or without its `#`. What it does not know, or cannot be, is left out. */
export function readPlace(fragment: string): LinkedPlace {
  const query = new URLSearchParams(fragment.replace(/^#/, ''))
  const generation = query.get('g')
  const known = generation !== null && generation !== '' && generation.length <= MOST_ID
  const index = numberIn(query, 'i', value => Number.isSafeInteger(value) && value >= 0)
  const [x, y] = [numberIn(query, 'x'), numberIn(query, 'y')]
  const zoom = numberIn(query, 'z', isScale)
  return {
    generation: known ? generation : null,
    index: known ? index : null,
    layout: LAYOUTS.find(name => name === query.get('layout')) ?? null,
    color: COLORS.find(name => name === query.get('color')) ?? null,
    scale: SCALES.find(name => name === query.get('scale')) ?? null,
    since: numberIn(query, 'since', isTime),
    until: numberIn(query, 'until', isTime),
    pose:
      x === null || y === null || zoom === null
        ? null
        : { x, y, zoom, zoomY: numberIn(query, 'zy', isScale) },
    t: numberIn(query, 't', isTime),
  }
}

/** The fragment of a link to a place, without `#`. */
export function writePlace(place: LinkedPlace): string {
  const { generation, index, layout, color, scale, since, until, pose, t } = place
  const query = new URLSearchParams()
  if (generation !== null) {
    query.set('g', generation)
    if (index !== null) query.set('i', String(index))
  }
  if (layout !== null) query.set('layout', layout)
  if (pose !== null) {
    query.set('x', placeText(pose.x, pose.zoom))
    query.set('y', placeText(pose.y, pose.zoomY ?? pose.zoom))
    query.set('z', scaleText(pose.zoom))
    if (pose.zoomY !== null) query.set('zy', scaleText(pose.zoomY))
  }
  for (const [name, time] of Object.entries({ t, since, until })) {
    if (time !== null) query.set(name, String(Math.round(time * 1000) / 1000))
  }
  if (color !== null) query.set('color', color)
  if (scale !== null) query.set('scale', scale)
  return query.toString()
}

/** Keeps the address of the page a link to what is looked at, and goes where a link leads. */
export class DeepLink {
  readonly #scope: Scope
  readonly #listening = new AbortController()
  readonly #stops: (() => void)[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Until a link was followed the address is that link. */
  #following = 0
  /** Links that were followed, to tell the newest one. */
  #links = 0
  /** Called off when another link is followed. */
  #stopPlacing: (() => void) | null = null
  /** The fragment that was written or followed last. */
  #fragment = ''

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Goes where the address leads, and keeps it up from then on. */
  start(): void {
    const { signal } = this.#listening
    const follow = () => {
      this.#fragment = location.hash
      void this.#go(readPlace(this.#fragment))
    }
    follow()
    window.addEventListener('hashchange', follow, { signal })
    const { layout, color, scale } = this.#scope.look
    let chosen = ''
    this.#stops.push(
      effect(() => {
        this.#watched()
        this.#writeAtRest()
        const now = `${layout.value} ${color.value} ${scale.value}`
        // What is chosen is so at once: whoever loads the page anew right after finds it as it was.
        if (chosen !== '' && now !== chosen) this.#write()
        chosen = now
      }),
    )
  }

  stop(): void {
    this.#links++
    this.#listening.abort()
    clearTimeout(this.#timer)
    this.#stopPlacing?.()
    for (const stop of this.#stops) stop()
  }

  /** A link to what is looked at now. */
  get url(): string {
    return `${location.origin}${location.pathname}${location.search}#${writePlace(this.#place())}`
  }

  #watched(): void {
    const { look, playhead, selection, map } = this.#scope
    const view = map.value
    for (const read of [
      look.layout,
      look.color,
      look.scale,
      look.filter,
      playhead.at,
      selection.current,
      view?.facts.seen,
      view?.following,
    ]) {
      void (read as ReadonlySignal<unknown> | undefined)?.value
    }
  }

  #place(): LinkedPlace {
    const { look, playhead, selection, map } = this.#scope
    const chosen = selection.current.peek()
    const view = map.peek()
    const pose = view === null || view.following.peek() ? null : view.pose()
    const layout = look.layout.peek()
    return {
      generation: chosen?.generation.id ?? null,
      index: chosen?.index ?? null,
      layout,
      color: look.color.peek(),
      scale: look.scale.peek(),
      since: look.filter.peek()?.since ?? null,
      until: look.filter.peek()?.until ?? null,
      pose: pose && { ...pose, zoomY: layout === 'timeline' ? pose.zoomY : null },
      t: playhead.at.peek(),
    }
  }

  #writeAtRest(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#write(), REST_MS)
  }

  #write(): void {
    // Another fragment than that is a link that is told of in a moment: it would be lost.
    if (this.#following > 0 || location.hash !== this.#fragment) return
    const place = this.#place()
    const fragment = isPlain(place) ? '' : `#${writePlace(place)}`
    if (fragment === this.#fragment) return
    history.replaceState(history.state, '', `${location.pathname}${location.search}${fragment}`)
    this.#fragment = location.hash
  }

  async #go(place: LinkedPlace): Promise<void> {
    const { look, playhead, library, store, map } = this.#scope
    const link = ++this.#links
    this.#stopPlacing?.()
    batch(() => {
      if (place.layout !== null) look.layout.value = place.layout
      if (place.color !== null) look.color.value = place.color
      if (place.scale !== null) look.scale.value = place.scale
      narrow(look, place)
      if (place.t !== null) playhead.seek(place.t)
      else if (playhead.at.peek() !== null) playhead.goLive()
    })
    const { pose, generation, index } = place
    if (pose !== null) this.#stopPlacing = once(map, view => view.goTo(poseOf(pose)))
    if (generation === null) return
    this.#following++
    try {
      // What the server tells at first would take away what was chosen before.
      await become(store.ready)
      if (link !== this.#links) return
      // Where nobody knows of it, the library says so.
      const isThere = await library.open(generation, index)
      if (isThere && pose !== null) {
        // What is chosen is told of beside the map, so that the middle of what is seen is another one.
        await frames(2)
        if (link === this.#links) map.peek()?.goTo(poseOf(pose))
      } else if (isThere && link === this.#links) {
        // Where it is can be asked once it is known what there is.
        const bounds = computed(() => map.value?.facts.bounds.value ?? null)
        this.#stopPlacing = once(bounds, () => map.peek()?.show({ id: generation }))
      }
    } finally {
      this.#following--
      this.#writeAtRest()
    }
  }
}

/** Nothing that is not so anyway: the address stays as short as it was. */
function isPlain({ layout, color, scale, ...rest }: LinkedPlace): boolean {
  const usual = layout === 'map' && color === 'confidence' && scale === 'cividis'
  return usual && Object.values(rest).every(value => value === null)
}

function poseOf({ x, y, zoom, zoomY }: NonNullable<LinkedPlace['pose']>): Parameters<MapView['goTo']>[0] {
  return { x, y, zoom, ...(zoomY === null ? {} : { zoomY }) }
}

/** So many have been drawn. */
async function frames(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => requestAnimationFrame(resolve))
}

/** A link says all of the time that is shown, as of the moment. */
function narrow(look: MapLook, { since, until }: LinkedPlace): void {
  const before = look.filter.peek()
  if ((before?.since ?? null) === since && (before?.until ?? null) === until) return
  narrowTo(look, { ...(since === null ? {} : { since }), ...(until === null ? {} : { until }) })
}

/** Calls back with the first value that is there, at once or later, unless it was called off. */
function once<T>(source: ReadonlySignal<T | null>, then: (value: T) => void): () => void {
  let stop: (() => void) | null = null
  let done = false
  stop = effect(() => {
    const value = source.value
    if (done || value === null) return
    done = true
    queueMicrotask(() => stop?.())
    then(value)
  })
  return () => {
    done = true
    stop?.()
  }
}

function become(ready: ReadonlySignal<boolean>): Promise<void> {
  return new Promise(resolve => {
    const stop = ready.subscribe(value => {
      if (!value) return
      queueMicrotask(() => stop())
      resolve()
    })
  })
}

function numberIn(query: URLSearchParams, name: string, holds: (value: number) => boolean = () => true) {
  const text = query.get(name)
  if (text === null || text.trim() === '') return null
  const value = Number(text)
  return Number.isFinite(value) && holds(value) ? value : null
}

const isTime = (value: number) => value > 0
const isScale = (value: number) => value >= 1e-12 && value <= 1e6

/** As exact as a tenth of a pixel. */
function placeText(value: number, zoom: number): string {
  const digits = Math.max(0, Math.min(9, Math.ceil(Math.log10(zoom)) + 1))
  return String(Number(value.toFixed(digits)))
}

function scaleText(zoom: number): string {
  return String(Number(zoom.toPrecision(5)))
}
