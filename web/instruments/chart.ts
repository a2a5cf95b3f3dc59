import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { type Tick, ticksOf } from '../time/clock-words.ts'

/** What is drawn over or under the lines; times are Unix seconds. */
export interface ChartMarks {
  /** The generation that is chosen. */
  chosen: { from: number; to: number } | null
  /** What map and time line are narrowed to. */
  narrowed: { from: number; to: number } | null
  /** The moment that is shown, if it is not now. */
  at: number | null
}

export interface ChartOptions {
  /** Lines, by how they are drawn; the first is the one that matters. */
  lines: readonly ('line' | 'faint' | 'steps' | 'points')[]
  /** The vertical axis is logarithmic: for what is mostly small and now and then very large. */
  log?: boolean
  /** A value of the vertical axis in words. */
  axis(value: number): string
  /** The pointer is over this time, or over none. */
  onCursor(at: number | null): void
  /** A stretch of time was marked; null: it was taken back. */
  onSpan(span: { from: number; to: number } | null): void
  marks(): ChartMarks
}

const HEIGHT = 96
const AXIS_PX = 46
const TICK_PX = 84
/** A drag over less than this marks nothing, CSS pixels. */
const LEAST_PX = 4
/** A value further from the pointer than this is not the one it points at, CSS pixels. */
const NEAR_PX = 16
const LOWEST_TOP = 1
/** What a logarithmic axis ends at, at least. */
const LOG_LEAST = 1
const LOG_TOP = 100

/** A chart over the last minutes. Its pointer is that of all charts. */
export class Chart {
  readonly #host: HTMLElement
  readonly #options: ChartOptions
  readonly #resized: ResizeObserver
  #plot: uPlot
  #now = 0
  #windowS = 0

  constructor(host: HTMLElement, options: ChartOptions) {
    this.#host = host
    this.#options = options
    this.#plot = this.#make([[], ...options.lines.map(() => [])])
    this.#resized = new ResizeObserver(() => {
      this.#plot.setSize({ width: this.#width, height: HEIGHT })
    })
    this.#resized.observe(host)
  }

  /** Shows these, up to now and over so many seconds. */
  show(data: uPlot.AlignedData, now: number, windowS: number): void {
    this.#now = now
    this.#windowS = windowS
    this.#plot.setData(this.#options.log ? (data.map(raised) as uPlot.AlignedData) : data)
  }

  /** Draws anew, for marks that changed. */
  redraw(): void {
    this.#plot.redraw(false, false)
  }

  /** Takes over the colours of the present theme. */
  restyle(): void {
    const { data } = this.#plot
    this.#plot.destroy()
    this.#plot = this.#make(data)
  }

  dispose(): void {
    this.#resized.disconnect()
    this.#plot.destroy()
  }

  get #width(): number {
    return Math.max(80, Math.floor(this.#host.clientWidth))
  }

  #make(data: uPlot.AlignedData): uPlot {
    const style = getComputedStyle(this.#host)
    const of = (name: string) => style.getPropertyValue(name).trim()
    const { axis, lines } = this.#options
    const text = { stroke: of('--soft'), font: `11px ${of('--mono')}`, ticks: { show: false } }
    const grid = { stroke: of('--line'), width: 1 }
    const strokes = {
      line: { stroke: of('--ink'), width: 1.25, points: { show: false } },
      faint: { stroke: of('--soft'), width: 1, dash: [3, 3], points: { show: false } },
      steps: {
        stroke: of('--ink'),
        width: 1.25,
        points: { show: false },
        paths: uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder,
      },
      points: {
        stroke: of('--ink'),
        paths: () => null,
        points: { show: true, size: 5, width: 1, fill: of('--ink') },
      },
    }
    return new uPlot(
      {
        width: this.#width,
        height: HEIGHT,
        ms: 1,
        padding: [6, 8, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          drag: { x: true, y: false, setScale: false },
          hover: { prox: NEAR_PX },
          bind: { dblclick: () => () => this.#takeBack() },
          points: { size: 6, fill: of('--ink'), stroke: of('--panel') },
          // The pointer is shared, what it marks is not: one chart tells, all show it.
          sync: {
            key: 'instruments',
            scales: ['x', null],
            filters: { pub: type => type === 'mousemove' || type === 'mouseleave' },
          },
        },
        scales: {
          x: { time: true, range: () => [this.#now - this.#windowS, this.#now] },
          y: this.#options.log
            ? {
                distr: 3,
                range: (_plot, _least, most) => [
                  LOG_LEAST,
                  Math.max(LOG_TOP, 10 ** Math.ceil(Math.log10(most || 1))),
                ],
              }
            : { range: (_plot, _least, most) => [0, Math.max(LOWEST_TOP, (most ?? 0) * 1.1)] },
        },
        axes: [
          {
            ...text,
            grid,
            size: 20,
            gap: 4,
            splits: (_plot, _axis, from, to) => this.#ticks(from, to).map(({ at }) => at),
            values: (plot, splits) => {
              const { min, max } = plot.scales.x as uPlot.Scale
              const labels = new Map(this.#ticks(min ?? 0, max ?? 0).map(({ at, label }) => [at, label]))
              return splits.map(at => labels.get(at) ?? '')
            },
          },
          {
            ...text,
            grid,
            size: AXIS_PX,
            gap: 6,
            space: 32,
            values: (_plot, splits) => splits.map(value => (value === null ? '' : axis(value))),
            ...(this.#options.log ? { splits: (_plot, _axis, from, to) => decades(from, to) } : {}),
          },
        ],
        series: [{}, ...lines.map(kind => strokes[kind])],
        hooks: {
          setCursor: [plot => this.#options.onCursor(cursorTime(plot))],
          setSelect: [plot => this.#marked(plot)],
          drawClear: [plot => this.#paintMarks(plot, of)],
        },
      },
      data,
      this.#host,
    )
  }

  #ticks(from: number, to: number): Tick[] {
    return ticksOf(from, to, Math.max(1, Math.floor(this.#width / TICK_PX)))
  }

  #marked(plot: uPlot): void {
    const { left, width } = plot.select
    if (width === 0) return
    const span =
      width < LEAST_PX ? null : { from: plot.posToVal(left, 'x'), to: plot.posToVal(left + width, 'x') }
    // It is drawn as a mark, in all charts.
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.#options.onSpan(span)
  }

  #takeBack(): null {
    this.#options.onSpan(null)
    return null
  }

  #paintMarks(plot: uPlot, of: (name: string) => string): void {
    const { ctx, bbox } = plot
    const { chosen, narrowed, at } = this.#options.marks()
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    const band = (from: number, to: number, colour: string, alpha: number, least: number) => {
      const left = plot.valToPos(from, 'x', true)
      const width = Math.max(least, plot.valToPos(to, 'x', true) - left)
      ctx.globalAlpha = alpha
      ctx.fillStyle = colour
      ctx.fillRect(left, bbox.top, width, bbox.height)
    }
    const pixel = uPlot.pxRatio
    if (narrowed !== null) {
      band(narrowed.from, narrowed.to, of('--ink'), 0.1, 1)
      band(narrowed.from, narrowed.from, of('--ink'), 0.6, pixel)
      band(narrowed.to, narrowed.to, of('--ink'), 0.6, pixel)
    }
    if (chosen !== null) {
      band(chosen.from, chosen.to, of('--ink'), 0.06, 2 * pixel)
      const left = plot.valToPos(chosen.from, 'x', true)
      const width = Math.max(2 * pixel, plot.valToPos(chosen.to, 'x', true) - left)
      ctx.globalAlpha = 1
      ctx.fillRect(left, bbox.top + bbox.height - 2 * pixel, width, 2 * pixel)
    }
    if (at !== null) band(at, at, of('--waiting'), 1, 1.5 * pixel)
    ctx.restore()
  }
}

/** What a logarithmic axis has no place for lies at its foot. */
function raised(values: ArrayLike<number | null | undefined>, row: number) {
  return Array.from(values, value => (row === 0 || value == null ? value : Math.max(LOG_LEAST, value)))
}

function decades(from: number, to: number): number[] {
  const powers: number[] = []
  for (let power = from; power <= to * 1.001; power *= 10) powers.push(power)
  return powers
}

function cursorTime(plot: uPlot): number | null {
  const { left } = plot.cursor
  return left === undefined || left === null || left < 0 ? null : plot.posToVal(left, 'x')
}
