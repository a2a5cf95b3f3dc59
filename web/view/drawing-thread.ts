/** The thread that draws the map with Canvas 2D: a worker, so that the page's own thread is free for people. */
import type { SceneLayer } from '../../compositor/draw/view-scene.ts'
import { viewTheme } from '../../compositor/draw/view-theme.ts'
import { PAGE_FACE } from '../draw/glyph-rasterizer.ts'
import { CanvasPictures } from './canvas-pictures.ts'
import type { DrawingNews, DrawingOrder } from './drawing-orders.ts'
import { layerOf, paintMarks } from './mark-list.ts'
import type { Picture } from './picture-layer.ts'

/** For so long a picture is painted before orders are looked for again, in milliseconds. */
const SLICE_MS = 3

/** So much of a worker's global scope as is used; its own types and those of a page exclude each other. */
interface Thread {
  fonts: FontFaceSet
  onmessage: ((event: MessageEvent<DrawingOrder>) => void) | null
  postMessage(news: DrawingNews): void
  requestAnimationFrame(callback: () => void): void
}

/** A view whose parts come, or that is being painted. */
interface Unfinished {
  width: number
  height: number
  dark: boolean
  layers: SceneLayer[]
  steps: Generator<unknown, Picture> | null
}

const thread = globalThis as unknown as Thread
/** Wakes this thread again after the orders that are there by then: a timer would wait for longer. */
const turn = new MessageChannel()
const unfinished = new Map<number, Unfinished>()
const pictures = new Map<number, Picture>()
let canvas: OffscreenCanvas
let drawn: CanvasPictures

thread.onmessage = ({ data }) => obey(data)
turn.port1.onmessage = () => paintOn()

function obey(order: DrawingOrder): void {
  switch (order.order) {
    case 'begin': {
      canvas = order.canvas
      const ctx = canvas.getContext('2d', { alpha: false }) as OffscreenCanvasRenderingContext2D
      drawn = new CanvasPictures(ctx)
      void loadFace(order.face)
      break
    }
    case 'scene': {
      const { width, height, dark, layers } = order
      unfinished.set(order.picture, { width, height, dark, layers: layers.map(layerOf), steps: null })
      break
    }
    case 'runs': {
      const scene = unfinished.get(order.picture)
      for (const run of order.runs) scene?.layers[order.layer]?.runs.push(run)
      break
    }
    case 'paint':
      begin(order.picture, order.now)
      break
    case 'add': {
      const picture = pictures.get(order.picture)
      if (picture !== undefined) drawn.add(picture, layerOf(order.layer), themeOf(order.dark))
      break
    }
    case 'free': {
      unfinished.delete(order.picture)
      const picture = pictures.get(order.picture)
      if (picture !== undefined) drawn.free(picture)
      pictures.delete(order.picture)
      break
    }
    default:
      drawFrame(order)
  }
}

function begin(number: number, now: boolean): void {
  const scene = unfinished.get(number)
  if (scene === undefined) return
  const { width, height, dark, layers } = scene
  scene.steps = drawn.paint({ width, height, layers, theme: themeOf(dark) })
  if (!now) turn.port2.postMessage(null)
  else paintUntil(number, scene.steps, Number.POSITIVE_INFINITY)
}

/** Goes on with the picture that was begun first. */
function paintOn(): void {
  for (const [number, { steps }] of unfinished) {
    if (steps === null) continue
    paintUntil(number, steps, performance.now() + SLICE_MS)
    turn.port2.postMessage(null)
    return
  }
}

function paintUntil(number: number, steps: Generator<unknown, Picture>, until: number): void {
  do {
    const { done, value } = steps.next()
    if (done !== true) continue
    unfinished.delete(number)
    pictures.set(number, value)
    thread.postMessage({ news: 'painted', picture: number })
    return
  } while (performance.now() < until)
}

function drawFrame({ backdrop, placements, marks }: DrawingOrder & { order: 'frame' }): void {
  const { width, height } = backdrop
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const placed = placements.flatMap(({ picture, ...where }) => {
    const there = pictures.get(picture)
    return there === undefined ? [] : [{ ...where, picture: there }]
  })
  drawn.show(backdrop, placed)
  paintMarks(marks, drawn.marks)
  thread.requestAnimationFrame(() => thread.postMessage({ news: 'shown' }))
}

function themeOf(dark: boolean) {
  return viewTheme(dark ? 'dark' : 'light')
}

/** A worker has none of the faces of its page. */
async function loadFace(url: string): Promise<void> {
  const face = new FontFace(PAGE_FACE, `url(${JSON.stringify(url)})`, { weight: '100 800' })
  thread.fonts.add(face)
  const loaded = await face.load().then(
    () => true,
    () => false,
  )
  thread.postMessage({ news: 'face', loaded })
}
