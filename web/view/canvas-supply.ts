import { CanvasPictures } from './canvas-pictures.ts'
import type { PictureLayer } from './picture-layer.ts'
import { ThreadPictures, type ThreadPicturesOptions } from './thread-pictures.ts'

/** Makes what draws with Canvas 2D: a thread of its own; where none can be had, the page's. */
export class CanvasSupply {
  readonly #canvas: HTMLCanvasElement
  readonly #options: ThreadPicturesOptions
  #noThread = false

  /** @param canvas what marks are painted on by whoever draws in the page's own thread, and all by this */
  constructor(canvas: HTMLCanvasElement, options: ThreadPicturesOptions) {
    this.#canvas = canvas
    this.#options = options
  }

  get context(): CanvasRenderingContext2D {
    return this.#canvas.getContext('2d') as CanvasRenderingContext2D
  }

  /** Another layer, each time. */
  layer(): PictureLayer {
    if (this.#noThread) return new CanvasPictures(this.context)
    return new ThreadPictures({
      ...this.#options,
      onFailed: error => {
        this.#noThread = true
        reportError(error)
        this.#options.onFailed(error)
      },
    })
  }
}
