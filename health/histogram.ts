/** One set of labels' observations. */
export interface HistogramCell {
  labels: Record<string, string>
  /** Observations in each bucket alone, one more than there are bounds: the last is of what is above all. */
  counts: number[]
  sum: number
  count: number
}

/**
 * A histogram that a Prometheus registry asks like one of prom-client's own. That one checks and hashes the
 * labels at each observation, which costs more than reading the token that is observed; here a cell is looked
 * up once and then only added to.
 */
export class Histogram {
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly name: string
  readonly help: string
  readonly #labelNames: readonly string[]
  readonly #bounds: readonly number[]
  readonly #cells = new Map<string, HistogramCell>()

  /** @param bounds upper bounds of the buckets, inclusive, ascending, without the infinite one */
  constructor(name: string, help: string, labelNames: readonly string[], bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#labelNames = labelNames
    this.#bounds = bounds
    // What has no labels is there from the start, with nothing in it.
    if (labelNames.length === 0) this.cell({})
  }

  /** The cell of these labels, made if there is none yet. */
  cell(labels: Record<string, string>): HistogramCell {
    const key = keyOf(this.#labelNames, labels)
    let cell = this.#cells.get(key)
    if (cell === undefined) {
      const counts = new Array<number>(this.#bounds.length + 1).fill(0)
      cell = { labels, counts, sum: 0, count: 0 }
      this.#cells.set(key, cell)
    }
    return cell
  }

  /** Adds an observation; what is not a finite number is none. */
  observe(cell: HistogramCell, value: number): void {
    if (!Number.isFinite(value)) return
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    ;(cell.counts[bucket] as number)++
    cell.sum += value
    cell.count++
  }

  /** Forgets all observations. */
  reset(): void {
    this.#cells.clear()
  }

  /** What the registry writes: cumulative buckets, sum and count of each cell. */
  async get(): Promise<object> {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: [...this.#cells.values()].flatMap(this.#values) }
  }

  readonly #values = ({ labels, counts, sum, count }: HistogramCell): object[] => {
    let below = 0
    const buckets = this.#bounds.map((bound, i) => {
      below += counts[i] as number
      return { metricName: `${this.name}_bucket`, labels: { le: bound, ...labels }, value: below }
    })
    return [
      ...buckets,
      { metricName: `${this.name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}

/** One key for one set of labels: their values in the table's order, divided by what no value holds. */
export function keyOf(names: readonly string[], labels: Record<string, string>): string {
  let key = ''
  for (const name of names) key += `${labels[name]}\0`
  return key
}
