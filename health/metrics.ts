import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { METRICS, type Meter } from '../events/metrics.ts'

/** The metrics of a running server, in Prometheus' terms. */
export interface Metrics extends Meter {
  readonly contentType: string
  /** All of them in Prometheus' text format. */
  text(): Promise<string>
}

/** What was counted under one set of labels since the last scrape. */
interface Pending {
  labels: Record<string, string>
  value: number
}

/**
 * Makes the metrics of the table, and Node's default ones, in a registry of their own.
 *
 * Counts are gathered in cells of our own and handed on when they are asked for: prom-client checks and
 * hashes the labels at each call, which would be a fifth of what a token costs.
 */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counters = new Map<string, Map<string, Pending>>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  for (const [name, row] of Object.entries(METRICS)) {
    const options = { name, help: row.help, labelNames: [...row.labels], registers: [registry] }
    if (row.type === 'counter') {
      const cells = new Map<string, Pending>()
      counters.set(name, cells)
      new Counter({
        ...options,
        collect() {
          for (const cell of cells.values()) {
            this.inc(cell.labels, cell.value)
            cell.value = 0
          }
        },
      })
    } else if (row.type === 'gauge') gauges.set(name, new Gauge(options))
    else histograms.set(name, new Histogram({ ...options, buckets: [...row.buckets] }))
  }
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    count(name, labels: Record<string, string>, by = 1) {
      const cells = counters.get(name) as Map<string, Pending>
      let key = ''
      for (const label of METRICS[name].labels) key += `${labels[label]}\0`
      const cell = cells.get(key)
      if (cell === undefined) cells.set(key, { labels, value: by })
      else cell.value += by
    },
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
  }
}
