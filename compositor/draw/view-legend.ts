import type { ColorName } from '../../broadcast/protocol/view.ts'
import {
  AGE_ENDS,
  CATEGORIES,
  INTERVAL_ENDS,
  KINDS,
  MOST_ENTROPY,
  REST,
  scaleColour,
} from './colour-scale.ts'
import { strength } from './density-look.ts'
import { type GlyphRun, sizeOfPitch } from './glyph-run.ts'
import { LOOK_HATCH } from './quad-list.ts'
import { mixed, type Rgba } from './rgba.ts'
import { formatSpan } from './time-format.ts'
import type { Easel } from './view-scene.ts'
import type { Narrowed } from './worded-scene.ts'

/** Height of the legend, at the foot of the picture. */
export const LEGEND_HEIGHT = 32
/** Narrower or lower pictures have no legend: it would take too much of them. */
export const LEGEND_LEAST: readonly [width: number, height: number] = [360, 120]
const PITCH = 7
const SIZE = sizeOfPitch(PITCH)
const SWATCH = 10
const BAR = 128

/** What each colour stands for, and what the ends of its scale are. */
const WORDS: Record<ColorName, [title: string, from: string, to: string]> = {
  confidence: ['confidence', '0 %', '100 %'],
  entropy: ['entropy over the alternatives given', '0', `${MOST_ENTROPY.toFixed(1)} nats`],
  interval: ['inter-token time', formatSpan(INTERVAL_ENDS[0]), '10 s'],
  age: ['age', `≥ ${AGE_ENDS[1] / 3600} h`, `${AGE_ENDS[0]} s`],
  kind: ['kind', '', ''],
  model: ['model', '', ''],
}
/** What is said where there is nothing to be seen: what is so, and what to do. */
const EMPTY: Record<Narrowed | 'all' | 'here', readonly [string, string]> = {
  all: ['No tokens yet.', 'They appear here as soon as a model answers.'],
  filter: ['No token here passes the filter.', 'Widen the filter, or look elsewhere.'],
  time: ['No tokens were here at that time.', 'Choose a later time, or look elsewhere.'],
  here: ['Nothing lies here.', 'Move the view to where tokens are.'],
}
/** What kinds of tokens are called. */
export const KIND_WORDS: Record<(typeof KINDS)[number], string> = {
  message: 'message',
  reasoning: 'reasoning',
  tool_call: 'tool call',
}

/** Tells what the colours of a picture stand for. @param most tokens in its fullest cell; 0 where it has none */
export function paintLegend(easel: Easel, most: number): void {
  const { quads, camera, theme, answer } = easel
  if (camera.width < LEGEND_LEAST[0] || camera.height < LEGEND_LEAST[1]) return
  const top = camera.height - LEGEND_HEIGHT
  quads.add(0, top, camera.width, camera.height, theme.ground)
  quads.add(0, top, camera.width, top + 1, theme.line)
  const pen = new LegendPen(easel, top)
  pen.word(WORDS[answer.color][0], theme.ink)
  pen.skip(12)
  if (answer.color === 'kind') {
    for (const [i, kind] of KINDS.entries()) pen.entry(KIND_WORDS[kind], CATEGORIES[i] as Rgba)
  } else if (answer.color === 'model') {
    for (const [i, model] of answer.models.entries()) {
      if (i >= CATEGORIES.length) break
      pen.entry(model, CATEGORIES[i] as Rgba)
    }
    if (answer.models.length > CATEGORIES.length) pen.entry('others', REST)
  } else pen.scale(WORDS[answer.color][1], WORDS[answer.color][2])
  if (answer.color !== 'age' && answer.color !== 'kind') pen.entry('not given', null)
  if (most > 1) pen.density(most)
  pen.atEnd(`${answer.count.toLocaleString('en-US')} ${answer.count === 1 ? 'token' : 'tokens'} in view`)
}

/** Says in the middle of a picture why nothing is in it. */
export function paintEmpty({ runs, camera, theme, answer }: Easel, narrowed: Narrowed | null): void {
  const [first, second] = EMPTY[answer.bounds === null ? 'all' : (narrowed ?? 'here')]
  const pitch = camera.width < 360 ? 6 : 8
  const middle = Math.round(camera.height / 2)
  const line = (text: string, baseline: number, ink: Rgba) => {
    const x = Math.round((camera.width - text.length * pitch) / 2)
    if (x >= 4) runs.push({ text, x, baseline, size: sizeOfPitch(pitch), pitch, ink })
  }
  line(first, middle - 4, theme.ink)
  line(second, middle + 20, theme.soft)
}

/** Writes a legend from the left to the right, and stops where there is no room. */
class LegendPen {
  readonly #easel: Easel
  readonly #baseline: number
  readonly #middle: number
  #x = 12

  constructor(easel: Easel, top: number) {
    this.#easel = easel
    this.#baseline = top + 20
    this.#middle = top + 16
  }

  skip(pixels: number): void {
    this.#x += pixels
  }

  word(text: string, ink: Rgba): void {
    this.#easel.runs.push(this.#run(text, this.#x, ink))
    this.#x += text.length * PITCH
  }

  /** The scale from end to end. */
  scale(from: string, to: string): void {
    const { theme, quads, ink } = this.#easel
    this.word(from, theme.soft)
    this.#x += 8
    for (let i = 0; i < BAR; i++) {
      const colour = scaleColour((i + 0.5) / BAR, ink.context.scale)
      quads.add(this.#x + i, this.#middle - 4, this.#x + i + 1, this.#middle + 4, colour)
    }
    this.#x += BAR + 8
    this.word(to, theme.soft)
    this.#x += 20
  }

  /** A colour, or the hatch, and its word. */
  entry(text: string, colour: Rgba | null): void {
    const { quads, theme, camera } = this.#easel
    if (this.#x + SWATCH + 8 + text.length * PITCH > camera.width - 12) return
    const [left, top] = [this.#x, this.#middle - SWATCH / 2]
    quads.add(
      left,
      top,
      left + SWATCH,
      top + SWATCH,
      colour ?? 0xff00_0000,
      colour === null ? LOOK_HATCH : undefined,
    )
    this.#x += SWATCH + 8
    this.word(text, theme.soft)
    this.#x += 20
  }

  /** How the number of a cell's tokens is told. */
  density(most: number): void {
    const { quads, theme, camera, ink, answer } = this.#easel
    const text = `1 … ${most.toLocaleString('en-US')} tokens a cell`
    if (this.#x + 56 + text.length * PITCH > camera.width - 12) return
    // Of categories none stands for all.
    const isNamed = answer.color === 'kind' || answer.color === 'model'
    const colour = isNamed ? theme.soft : scaleColour(0.7, ink.context.scale)
    for (let i = 0; i < 4; i++) {
      const left = this.#x + i * SWATCH
      const share = strength(most ** (i / 3), most)
      const top = this.#middle - SWATCH / 2
      quads.add(left, top, left + SWATCH, top + SWATCH, mixed(theme.ground, colour, share))
    }
    this.#x += 4 * SWATCH + 8
    this.word(text, theme.soft)
    this.#x += 20
  }

  /** At the right edge, if there is room left. */
  atEnd(text: string): void {
    const { camera, theme, runs } = this.#easel
    const x = camera.width - 12 - text.length * PITCH
    if (x > this.#x) runs.push(this.#run(text, x, theme.soft))
  }

  #run(text: string, x: number, ink: Rgba): GlyphRun {
    return { text, x, baseline: this.#baseline, size: SIZE, pitch: PITCH, ink }
  }
}
