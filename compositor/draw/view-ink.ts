import type { ColorName, ViewAnswer, ViewToken } from '../../broadcast/protocol/view.ts'
import { type ColourContext, cellValue, colourOf, tokenValue } from './colour-scale.ts'
import { type Rgba, rgbaOf, toneOf } from './rgba.ts'

const DARK_INK = rgbaOf('#0b1017')
const LIGHT_INK = rgbaOf('#f2f4f7')

/** The colours of one view's data, and of text on them. */
export class ViewInk {
  readonly context: ColourContext
  readonly #color: ColorName
  readonly #origin: number | null

  constructor(answer: ViewAnswer, context: ColourContext) {
    this.context = context
    this.#color = answer.color
    this.#origin = answer.origin
  }

  /** Of a token; null where what its colour stands for is not known. */
  ofToken(token: ViewToken): Rgba | null {
    return colourOf(this.#color, tokenValue(token, this.#color), this.context)
  }

  /** Of a cell with this value. */
  ofCell(value: number | null): Rgba | null {
    return colourOf(this.#color, cellValue(value, this.#color, this.#origin), this.context)
  }

  /** For text on a colour. */
  on(colour: Rgba): Rgba {
    return toneOf(colour) === 'light' ? DARK_INK : LIGHT_INK
  }
}
