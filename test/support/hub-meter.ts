import { METRICS, type Meter, type MeterHandle, type MetricName } from '../../events/metrics.ts'

export interface MeterCall {
  name: string
  labels: Record<string, string>
  value: number
}

/** A meter that keeps every call and can be waited for. */
export class RecordingMeter implements Meter {
  readonly counted: MeterCall[] = []
  readonly gauges: MeterCall[] = []
  readonly observed: MeterCall[] = []
  /** Called at each count, inside the work that is being measured. */
  onCount: (name: string) => void = () => {}
  #wake: (() => void)[] = []

  count(name: string, labels: Record<string, string>, by = 1): void {
    this.#keep(this.counted, { name, labels, value: by })
    this.onCount(name)
  }

  set(name: string, labels: Record<string, string>, value: number): void {
    this.#keep(this.gauges, { name, labels, value })
  }

  observe(name: string, labels: Record<string, string>, value: number): void {
    this.#keep(this.observed, { name, labels, value })
  }

  handle(name: MetricName, labels: Record<string, string>): MeterHandle {
    return METRICS[name].type === 'counter'
      ? by => this.count(name, labels, by)
      : value => this.observe(name, labels, value)
  }

  /** Sum of a counter over the labels given. */
  total(name: MetricName, labels: Record<string, string> = {}): number {
    return this.counted
      .filter(call => call.name === name)
      .filter(call => Object.entries(labels).every(([label, value]) => call.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0)
  }

  /** Every value that a gauge had, in order. */
  history(name: MetricName): number[] {
    return this.gauges.filter(call => call.name === name).map(({ value }) => value)
  }

  observations(name: MetricName): MeterCall[] {
    return this.observed.filter(call => call.name === name)
  }

  /** Waits until what was reported satisfies `condition`. */
  async until(condition: (meter: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>(resolve => this.#wake.push(resolve))
  }

  #keep(list: MeterCall[], call: MeterCall): void {
    list.push(call)
    for (const wake of this.#wake.splice(0)) wake()
  }
}
