import face from '@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2?url'
import type { SceneLayer, ViewScene } from '../../compositor/draw/view-scene.ts'
import type { ViewTheme } from '../../compositor/draw/view-theme.ts'
import type { DrawingNews, DrawingOrder, SentPlacement } from './drawing-orders.ts'
import { MarkList, sentLayer } from './mark-list.ts'
import { type Backdrop, type Picture, type PictureLayer, type Placement, WAITING } from './picture-layer.ts'

/** Frames that may be on their way: one is drawn while the next one is told. */
const MOST_FRAMES = 2
/** Runs of text that are sent in one step. */
const RUNS_A_STEP = 64

/** A picture that the thread has, or is painting. */
interface ThreadPicture extends Picture {
  readonly number: number
}

export interface ThreadPicturesOptions {
  /** What its canvas is put into. */
  host: HTMLElement
  /** The face of letters is there: what was painted before has another one. */
  onFace(): void
  /** It does not run, or no longer: another layer is to draw, if it is the one that does. */
  onFailed(error: Error): void
}

/**
 * Pictures by Canvas 2D in a thread of their own, on a canvas of their own. What the page's thread does for a
 * frame is to tell what is where: text and rectangles are turned into pixels elsewhere.
 */
export class ThreadPictures implements PictureLayer {
  readonly by = 'canvas2d'
  readonly marks = new MarkList()
  readonly #canvas = document.createElement('canvas')
  readonly #worker: Worker
  #count = 0
  /** Pictures that are not painted yet. */
  readonly #unpainted = new Set<number>()
  #frame: { backdrop: Backdrop; placements: SentPlacement[] } | null = null
  #framesOut = 0
  #faceComes = true

  constructor({ host, onFace, onFailed }: ThreadPicturesOptions) {
    this.#worker = new Worker(new URL('./drawing-thread.ts', import.meta.url), { type: 'module' })
    this.#worker.onerror = event => {
      event.preventDefault()
      onFailed(new Error(event.message || 'the thread that draws the map cannot be started'))
    }
    this.#worker.onmessage = ({ data }: MessageEvent<DrawingNews>) => {
      if (data.news === 'face') this.#faceComes = false
      else if (data.news === 'painted') this.#unpainted.delete(data.picture)
      else this.#framesOut--
      if (data.news === 'face' && data.loaded) onFace()
    }
    this.#canvas.className = 'map-cells'
    host.append(this.#canvas)
    const canvas = this.#canvas.transferControlToOffscreen()
    this.#tell({ order: 'begin', canvas, face: new URL(face, location.href).href }, [canvas])
  }

  get ready(): boolean {
    return this.#framesOut < MOST_FRAMES
  }

  get idle(): boolean {
    return this.#framesOut === 0 && this.#unpainted.size === 0 && !this.#faceComes
  }

  *paint(scene: ViewScene): Generator<unknown, Picture> {
    const picture = this.#begin(scene)
    let painted = false
    try {
      for (const [layer, { runs }] of scene.layers.entries()) {
        for (let from = 0; from < runs.length; from += RUNS_A_STEP) {
          yield
          const part = runs.slice(from, from + RUNS_A_STEP)
          this.#tell({ order: 'runs', picture: picture.number, layer, runs: part })
        }
      }
      this.#tell({ order: 'paint', picture: picture.number, now: false })
      while (this.#unpainted.has(picture.number)) yield WAITING
      painted = true
      return picture
    } finally {
      if (!painted) this.free(picture)
    }
  }

  paintNow(scene: ViewScene): Picture {
    const picture = this.#begin(scene)
    for (const [layer, { runs }] of scene.layers.entries())
      this.#tell({ order: 'runs', picture: picture.number, layer, runs })
    this.#tell({ order: 'paint', picture: picture.number, now: true })
    return picture
  }

  add(picture: Picture, layer: SceneLayer, { dark }: ViewTheme): void {
    this.#tell({ order: 'add', picture: numberOf(picture), layer: sentLayer(layer), dark })
  }

  free(picture: Picture): void {
    this.#unpainted.delete(numberOf(picture))
    this.#tell({ order: 'free', picture: numberOf(picture) })
  }

  show(backdrop: Backdrop, placements: readonly Placement[]): void {
    const sent = placements.map(({ picture, ...where }) => ({ ...where, picture: numberOf(picture) }))
    this.#frame = { backdrop, placements: sent }
  }

  present(): void {
    if (this.#frame === null) return
    const marks = this.marks.take()
    this.#framesOut++
    this.#tell({ order: 'frame', ...this.#frame, marks }, [marks.codes.buffer])
    this.#frame = null
  }

  stop(): void {
    this.#worker.onmessage = null
    this.#worker.onerror = null
    this.#worker.terminate()
    this.#canvas.remove()
  }

  #begin({ width, height, theme, layers }: ViewScene): ThreadPicture {
    const picture = { width, height, number: ++this.#count }
    this.#unpainted.add(picture.number)
    const sent = layers.map(({ quads }) => ({ words: quads.words.slice(), runs: [] }))
    this.#tell(
      { order: 'scene', picture: picture.number, width, height, dark: theme.dark, layers: sent },
      sent.map(({ words }) => words.buffer),
    )
    return picture
  }

  #tell(order: DrawingOrder, given: Transferable[] = []): void {
    this.#worker.postMessage(order, given)
  }
}

function numberOf(picture: Picture): number {
  return (picture as ThreadPicture).number
}
