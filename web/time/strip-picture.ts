import { formatRate } from '../format.ts'
import { ticksOf } from './clock-words.ts'
import type { Lane } from './lane.ts'
import type { Rates } from './lane-sums.ts'
import type { Span } from './time-view.ts'

/** Heights of the strip's parts for a height of all, CSS pixels. */
export interface StripPlan {
  areaTop: number
  /** Where the area's nothing is. */
  areaFoot: number
  lanesTop: number
  lanesFoot: number
  /** Baseline of the labels; null where there is no room for them. */
  labels: number | null
}

export interface StripInk {
  ground: string
  ink: string
  soft: string
  line: string
  lineStrong: string
  live: string
  waiting: string
  failed: string
  font: string
}

/** All that a picture of the strip is made of. */
export interface StripScene {
  width: number
  height: number
  span: Span
  now: number
  lanes: readonly Lane[]
  rows: readonly number[]
  rates: Rates
  stalls: readonly (readonly [number, number])[]
  /** Null: now. */
  at: number | null
  chosen: string | null
  /** What the filter is narrowed to. */
  marked: { since: number | null; until: number | null }
  hover: { x: number; words: string; lane: string | null } | null
  ink: StripInk
}

/** Room at the right edge, so that the sign of now is whole. */
export const EDGE_PX = 6
const LABEL_PX = 96
const LOWEST_LANE_PX = 2
const HIGHEST_LANE_PX = 5
const TOP_RATES = [1, 2, 3, 5, 8, 10]

/** Reads the colours and the type of the present theme. */
export function readStripInk(element: Element): StripInk {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    ground: of('--panel'),
    ink: of('--ink'),
    soft: of('--soft'),
    line: of('--line'),
    lineStrong: of('--line-strong'),
    live: of('--live'),
    waiting: of('--waiting'),
    failed: of('--failed'),
    font: `11px ${of('--mono')}`,
  }
}

/** How a strip of this height is divided. */
export function planOf(height: number): StripPlan {
  if (height < 64) {
    return { areaTop: 4, areaFoot: height - 14, lanesTop: height - 11, lanesFoot: height - 3, labels: null }
  }
  return {
    areaTop: 14,
    areaFoot: height - 42,
    lanesTop: height - 38,
    lanesFoot: height - 18,
    labels: height - 6,
  }
}

/** Where a time lies, CSS pixels from the left. */
export function xOf(at: number, span: Span, width: number): number {
  return ((at - span.from) / (span.to - span.from)) * (width - EDGE_PX)
}

/** The time at a place, Unix seconds. */
export function timeAt(x: number, span: Span, width: number): number {
  return span.from + (x / (width - EDGE_PX)) * (span.to - span.from)
}

/** Height and distance of the lanes' rows, CSS pixels. What does not fit lies in the last row. */
export function laneRow(row: number, rows: number, plan: StripPlan): { top: number; height: number } {
  const room = plan.lanesFoot - plan.lanesTop
  const most = Math.floor(room / (LOWEST_LANE_PX + 1))
  const pitch = Math.min(HIGHEST_LANE_PX + 1, Math.floor(room / Math.max(1, Math.min(rows, most))))
  return { top: plan.lanesTop + Math.min(row, most - 1) * pitch, height: pitch - 1 }
}

/** Draws the strip. */
export function paintStrip(ctx: CanvasRenderingContext2D, scene: StripScene): void {
  const { width, height, span, at, ink } = scene
  const plan = planOf(height)
  ctx.clearRect(0, 0, width, height)
  ctx.font = ink.font
  ctx.textBaseline = 'alphabetic'
  paintMarked(ctx, scene, plan)
  paintAxis(ctx, scene, plan)
  paintStalls(ctx, scene, plan)
  paintArea(ctx, scene, plan)
  paintLanes(ctx, scene, plan)
  if (at !== null) {
    // What came after the moment that is shown is there, and not shown.
    ctx.globalAlpha = 0.6
    ctx.fillStyle = ink.ground
    const x = Math.max(0, xOf(at, span, width))
    ctx.fillRect(x, 0, width - x, plan.lanesFoot + 2)
    ctx.globalAlpha = 1
  }
  if (scene.hover !== null) paintHover(ctx, scene, plan)
}

function paintAxis(ctx: CanvasRenderingContext2D, { width, span, ink }: StripScene, plan: StripPlan): void {
  ctx.fillStyle = ink.line
  ctx.fillRect(0, plan.areaFoot, width, 1)
  if (plan.labels === null) return
  for (const { at, label } of ticksOf(span.from, span.to, Math.max(1, Math.floor(width / LABEL_PX)))) {
    const x = Math.round(xOf(at, span, width))
    ctx.fillStyle = ink.line
    ctx.fillRect(x, plan.areaTop, 1, plan.lanesFoot - plan.areaTop + 3)
    const half = ctx.measureText(label).width / 2
    if (x - half < 0 || x + half > width - EDGE_PX) continue
    ctx.fillStyle = ink.soft
    ctx.fillText(label, x - half, plan.labels)
  }
}

function paintMarked(
  ctx: CanvasRenderingContext2D,
  { width, span, marked, ink }: StripScene,
  plan: StripPlan,
): void {
  if (marked.since === null && marked.until === null) return
  const left = marked.since === null ? 0 : xOf(marked.since, span, width)
  const right = marked.until === null ? width : xOf(marked.until, span, width)
  ctx.globalAlpha = 0.1
  ctx.fillStyle = ink.ink
  ctx.fillRect(left, 0, Math.max(1, right - left), plan.lanesFoot + 2)
  ctx.globalAlpha = 0.6
  ctx.fillRect(left, 0, 1, plan.lanesFoot + 2)
  ctx.fillRect(right - 1, 0, 1, plan.lanesFoot + 2)
  ctx.globalAlpha = 1
}

function paintStalls(ctx: CanvasRenderingContext2D, scene: StripScene, plan: StripPlan): void {
  const { width, span, stalls, ink } = scene
  ctx.fillStyle = ink.waiting
  for (const [from, to] of stalls) {
    const x = xOf(from, span, width)
    const w = Math.max(2, xOf(to, span, width) - x)
    ctx.globalAlpha = 0.08
    ctx.fillRect(x, plan.areaTop, w, plan.areaFoot - plan.areaTop)
    ctx.globalAlpha = 1
    ctx.fillRect(x, plan.areaFoot - 1, w, 2)
  }
}

function paintArea(ctx: CanvasRenderingContext2D, scene: StripScene, plan: StripPlan): void {
  const { rates, ink, width, span, now } = scene
  const { known, mean, running } = rates
  const total = (i: number) => (known[i] as number) + (mean[i] as number)
  let most = 0
  for (let i = 0; i < known.length; i++) most = Math.max(most, total(i))
  if (most === 0) return
  const top = roundUp(most)
  const room = plan.areaFoot - plan.areaTop
  const y = (rate: number) => plan.areaFoot - (rate / top) * room
  const left = (i: number) => xOf(rates.from + i * rates.bucketS, span, width)
  const right = (i: number) => xOf(Math.min(now, rates.from + (i + 1) * rates.bucketS), span, width)

  if (plan.labels !== null) {
    ctx.fillStyle = ink.line
    ctx.fillRect(0, plan.areaTop, width, 1)
    ctx.fillStyle = ink.soft
    ctx.fillText(`${formatRate(top)} tok/s`, 6, plan.areaTop - 3)
  }
  for (let i = 0; i < known.length; i++) {
    if (running[i] === 0 || total(i) === 0) continue
    const first = i
    while (i + 1 < known.length && running[i + 1] === 1 && total(i + 1) > 0) i++
    const trace = (rate: (i: number) => number) => {
      ctx.lineTo(left(first), y(rate(first)))
      for (let k = first; k <= i; k++) ctx.lineTo((left(k) + right(k)) / 2, y(rate(k)))
      ctx.lineTo(right(i), y(rate(i)))
    }
    for (const [rate, alpha] of [
      [total, 0.12],
      [(k: number) => known[k] as number, 0.2],
    ] as const) {
      ctx.beginPath()
      ctx.moveTo(left(first), plan.areaFoot)
      trace(rate)
      ctx.lineTo(right(i), plan.areaFoot)
      ctx.globalAlpha = alpha
      ctx.fillStyle = ink.ink
      ctx.fill()
    }
    ctx.globalAlpha = 0.75
    ctx.beginPath()
    trace(total)
    ctx.strokeStyle = ink.ink
    ctx.lineWidth = 1.25
    ctx.lineJoin = 'round'
    ctx.stroke()
    ctx.globalAlpha = 1
  }
}

function paintLanes(ctx: CanvasRenderingContext2D, scene: StripScene, plan: StripPlan): void {
  const { lanes, rows, span, width, now, chosen, hover, ink } = scene
  const count = rows.reduce((most, row) => Math.max(most, row + 1), 0)
  const tones = { live: ink.live, waiting: ink.waiting, failed: ink.failed, quiet: ink.soft }
  lanes.forEach((lane, i) => {
    const ended = lane.ended ?? now
    if (ended < span.from || lane.began > span.to) return
    const { top, height } = laneRow(rows[i] as number, count, plan)
    const isChosen = lane.id === chosen
    const bar = (from: number, to: number, y: number, h: number) => {
      const x = xOf(from, span, width)
      ctx.fillRect(x, y, Math.max(2, xOf(to, span, width) - x), h)
    }
    ctx.fillStyle = isChosen ? ink.ink : tones[lane.tone]
    // Waiting for the first token, and stalls, are a line; tokens that come are a bar.
    const bright = isChosen || lane.tone !== 'quiet' || hover?.lane === lane.id
    ctx.globalAlpha = bright ? 0.7 : 0.5
    bar(lane.began, ended, top + Math.floor(height / 2), 1)
    ctx.globalAlpha = bright ? 1 : 0.7
    // Of what ended without a token there is a mark at least.
    if (lane.firstToken === null && lane.ended !== null) bar(lane.began, lane.began, top, height)
    if (lane.uncounted !== null) bar(lane.uncounted.from, lane.uncounted.to, top, height)
    for (const [from, to] of lane.times?.runs(ended) ?? []) bar(from, to, top, height)
    ctx.globalAlpha = 1
  })
}

function paintHover(ctx: CanvasRenderingContext2D, { width, hover, ink }: StripScene, plan: StripPlan): void {
  const { x, words } = hover as NonNullable<StripScene['hover']>
  ctx.fillStyle = ink.soft
  ctx.fillRect(Math.round(x), plan.areaTop, 1, plan.lanesFoot - plan.areaTop + 2)
  if (plan.labels === null) return
  const w = ctx.measureText(words).width
  const left = Math.min(width - w - EDGE_PX, Math.max(4, x + (x + w + 16 > width ? -w - 8 : 8)))
  ctx.fillStyle = ink.ground
  ctx.globalAlpha = 0.92
  ctx.fillRect(left - 4, plan.areaTop - 13, w + 8, 16)
  ctx.globalAlpha = 1
  ctx.fillStyle = ink.ink
  ctx.fillText(words, left, plan.areaTop - 1)
}

/** The round number that a scale with this in it ends at. */
function roundUp(most: number): number {
  const tens = 10 ** Math.floor(Math.log10(most))
  return tens * (TOP_RATES.find(factor => factor * tens >= most) ?? 10)
}
