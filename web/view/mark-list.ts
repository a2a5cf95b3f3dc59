/** Marks as a list, told in one thread and painted in another. */
import { QuadList } from '../../compositor/draw/quad-list.ts'
import type { SceneLayer } from '../../compositor/draw/view-scene.ts'
import { type ViewTheme, viewTheme } from '../../compositor/draw/view-theme.ts'
import type { Marks, MarksContext } from './picture-layer.ts'

/** A layer as it can be sent. */
export interface SentLayer extends Pick<SceneLayer, 'runs'> {
  words: Uint32Array<ArrayBuffer>
}

/** What was told for a frame: numbers only, what is not one by its place in the lists beside. */
export interface SentMarks {
  codes: Float64Array<ArrayBuffer>
  words: string[]
  layers: { layer: SentLayer; dark: boolean }[]
}

const FILL_STYLE = 0
const STROKE_STYLE = 1
const ALPHA = 2
const COMPOSITE = 3
const LINE_WIDTH = 4
const LINE_JOIN = 5
const LINE_CAP = 6
const FILL_RECT = 7
const STROKE_RECT = 8
const BEGIN_PATH = 9
const MOVE_TO = 10
const LINE_TO = 11
const STROKE = 12
const LAYER = 13
const HALO = 14

/** Takes down marks until they are sent. */
export class MarkList implements Marks, MarksContext {
  readonly ctx: MarksContext = this
  #codes = new Float64Array(1024)
  #length = 0
  #words: string[] = []
  #layers: SentMarks['layers'] = []

  /** What was told since the last time. */
  take(): SentMarks {
    const sent = { codes: this.#codes.slice(0, this.#length), words: this.#words, layers: this.#layers }
    this.#length = 0
    this.#words = []
    this.#layers = []
    return sent
  }

  layer(layer: SceneLayer, theme: ViewTheme): void {
    if (layer.quads.count === 0 && layer.runs.length === 0) return
    this.#layers.push({ layer: sentLayer(layer), dark: theme.dark })
    this.#tell(LAYER, this.#layers.length - 1)
  }

  halo(colour: string, radius: number, x: number, y: number): void {
    this.#tell(HALO, this.#place(colour), radius, x, y)
  }

  set fillStyle(colour: string) {
    this.#tell(FILL_STYLE, this.#place(colour))
  }

  set strokeStyle(colour: string) {
    this.#tell(STROKE_STYLE, this.#place(colour))
  }

  set globalAlpha(alpha: number) {
    this.#tell(ALPHA, alpha)
  }

  set globalCompositeOperation(operation: GlobalCompositeOperation) {
    this.#tell(COMPOSITE, this.#place(operation))
  }

  set lineWidth(width: number) {
    this.#tell(LINE_WIDTH, width)
  }

  set lineJoin(join: CanvasLineJoin) {
    this.#tell(LINE_JOIN, this.#place(join))
  }

  set lineCap(cap: CanvasLineCap) {
    this.#tell(LINE_CAP, this.#place(cap))
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.#tell(FILL_RECT, x, y, width, height)
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    this.#tell(STROKE_RECT, x, y, width, height)
  }

  beginPath(): void {
    this.#tell(BEGIN_PATH)
  }

  moveTo(x: number, y: number): void {
    this.#tell(MOVE_TO, x, y)
  }

  lineTo(x: number, y: number): void {
    this.#tell(LINE_TO, x, y)
  }

  stroke(): void {
    this.#tell(STROKE)
  }

  #tell(code: number, a = 0, b = 0, c = 0, d = 0): void {
    const size = SIZES[code] as number
    if (this.#length + size > this.#codes.length) this.#grow()
    const codes = this.#codes
    const at = this.#length
    codes[at] = code
    if (size > 1) codes[at + 1] = a
    if (size > 2) codes[at + 2] = b
    if (size > 3) codes[at + 3] = c
    if (size > 4) codes[at + 4] = d
    this.#length += size
  }

  #place(word: string): number {
    const known = this.#words.indexOf(word)
    return known === -1 ? this.#words.push(word) - 1 : known
  }

  #grow(): void {
    const codes = new Float64Array(this.#codes.length * 2)
    codes.set(this.#codes)
    this.#codes = codes
  }
}

/** Numbers of each kind, its code among them. */
const SIZES: readonly number[] = [2, 2, 2, 2, 2, 2, 2, 5, 5, 1, 3, 3, 1, 2, 5]

/** Paints what was told. */
export function paintMarks({ codes, words, layers }: SentMarks, marks: Marks): void {
  const { ctx } = marks
  for (let at = 0; at < codes.length; at += SIZES[codes[at] as number] as number) {
    const number = (i: number) => codes[at + i] as number
    const word = () => words[number(1)] as string
    switch (codes[at]) {
      case FILL_STYLE:
        ctx.fillStyle = word()
        break
      case STROKE_STYLE:
        ctx.strokeStyle = word()
        break
      case ALPHA:
        ctx.globalAlpha = number(1)
        break
      case COMPOSITE:
        ctx.globalCompositeOperation = word() as GlobalCompositeOperation
        break
      case LINE_WIDTH:
        ctx.lineWidth = number(1)
        break
      case LINE_JOIN:
        ctx.lineJoin = word() as CanvasLineJoin
        break
      case LINE_CAP:
        ctx.lineCap = word() as CanvasLineCap
        break
      case FILL_RECT:
        ctx.fillRect(number(1), number(2), number(3), number(4))
        break
      case STROKE_RECT:
        ctx.strokeRect(number(1), number(2), number(3), number(4))
        break
      case BEGIN_PATH:
        ctx.beginPath()
        break
      case MOVE_TO:
        ctx.moveTo(number(1), number(2))
        break
      case LINE_TO:
        ctx.lineTo(number(1), number(2))
        break
      case STROKE:
        ctx.stroke()
        break
      case LAYER: {
        const { layer, dark } = layers[number(1)] as SentMarks['layers'][number]
        marks.layer(layerOf(layer), viewTheme(dark ? 'dark' : 'light'))
        break
      }
      default:
        marks.halo(word(), number(2), number(3), number(4))
    }
  }
}

/** A layer, to be sent. */
export function sentLayer({ quads, runs }: SceneLayer): SentLayer {
  return { words: quads.words.slice(), runs }
}

/** A layer that was sent. */
export function layerOf({ words, runs }: SentLayer): SceneLayer {
  return { quads: QuadList.of(words), runs }
}
