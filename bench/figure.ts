/** What a bench measures: one number with the spread it was seen in. */
export interface Figure {
  name: string
  /** Median of the rounds. */
  value: number
  /** Lowest and highest round. */
  min: number
  max: number
  unit: string
  better: 'higher' | 'lower'
  /** What is asked for (docs/benchmarks.md): to be beaten, or, if it is 0, reached. */
  target: number | null
  note?: string
}

/** What lays out in the bench of the compositor; null: the CPU, and the GPU if there is an adapter. */
export type BenchGpu = 'cpu' | 'webgpu' | null

export interface BenchOptions {
  gpu: BenchGpu
}

/** One file of figures. */
export interface Bench {
  name: string
  title: string
  run(options: BenchOptions): Promise<Figure[]>
}

interface FigureDetails {
  unit: string
  better: Figure['better']
  target?: number
  note?: string
}

/** The figure that the values of several rounds make. */
export function figureOf(name: string, rounds: readonly number[], details: FigureDetails): Figure {
  const { unit, better, target = null, note } = details
  return {
    name,
    value: median(rounds),
    min: Math.min(...rounds),
    max: Math.max(...rounds),
    unit,
    better,
    target,
    ...(note === undefined ? {} : { note }),
  }
}

/** Whether a figure is as good as its target asks; null without a target. */
export function isMet({ value, better, target }: Figure): boolean | null {
  if (target === null) return null
  if (value === 0 && target === 0) return true
  return better === 'higher' ? value > target : value < target
}

export function median(values: readonly number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
}

/** The value below which the share `p` of the sorted values lies, interpolated. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) throw new Error('a percentile of nothing')
  const at = p * (sorted.length - 1)
  const below = sorted[Math.floor(at)] as number
  const above = sorted[Math.ceil(at)] as number
  return below + (above - below) * (at - Math.floor(at))
}

/** Median and 99th percentile of what was seen in one round. */
export interface Quantiles {
  p50: number
  p99: number
}

export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort()
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}
