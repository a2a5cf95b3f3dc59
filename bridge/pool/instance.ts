import type { Meter } from '../../events/metrics.ts'
import type { UpstreamKind, UpstreamSpec } from '../../events/upstream-spec.ts'
import type { Upstream } from '../upstream.ts'
import { CIRCUIT_STATE_VALUES, Circuit, type CircuitState, type Passage } from './circuit.ts'

/** Weight of the newest time to first token in the average. */
const NEWEST_WEIGHT = 0.2

/** One instance as others see it. */
export interface InstanceReport {
  label: string
  name: string
  url: string
  kind: UpstreamKind | null
  priority: number
  max: number
  up: boolean
  /** Why it is not up. */
  trouble: string | null
  models: readonly string[]
  /** Models in memory; null where it does not say. */
  loaded: readonly string[] | null
  circuit: {
    state: CircuitState
    /** Share of failures among the last results, 0..1; null without any. */
    failure_rate: number | null
    /** The share above which the circuit opens. */
    limit: number
    samples: number
    /** Unix seconds; null while it is closed. */
    opened_at: number | null
  }
  in_flight: number
  /** Moving average, ms; null before there was a token. */
  ttft_ms_ewma: number | null
  /** Generations that it was given, and those that it failed at. */
  requests: number
  failures: number
}

/** An upstream as a member of the pool: its places, its circuit, how fast it is. */
export class Instance {
  readonly upstream: Upstream
  readonly priority: number
  readonly max: number
  readonly circuit: Circuit
  #inFlight = 0
  #firstTokenMs: number | null = null
  #requests = 0
  #failures = 0

  /** @param onChange called when the circuit has changed */
  constructor(upstream: Upstream, spec: UpstreamSpec, meter: Meter, onChange: () => void) {
    this.upstream = upstream
    this.priority = spec.priority
    this.max = spec.max
    const tell = (state: CircuitState) => {
      meter.set('tokenscope_circuit_state', { upstream: upstream.label }, CIRCUIT_STATE_VALUES[state])
    }
    this.circuit = new Circuit({
      probe: () => upstream.probe(),
      onChange: state => {
        tell(state)
        onChange()
      },
    })
    tell('closed')
  }

  /** Generations that it has now. */
  get inFlight(): number {
    return this.#inFlight
  }

  get hasPlace(): boolean {
    return this.#inFlight < this.max
  }

  /** Moving average of the time to the first token, ms; null before there was one. */
  get firstTokenMs(): number | null {
    return this.#firstTokenMs
  }

  /** Takes a place, whether there is one or not. */
  take(): Passage {
    this.#inFlight++
    this.#requests++
    return this.circuit.enter()
  }

  /** Gives the place back. */
  give(result: 'ok' | 'failed' | 'neutral', firstTokenMs: number | null): void {
    this.#inFlight--
    if (result === 'failed') this.#failures++
    if (firstTokenMs === null) return
    const before = this.#firstTokenMs
    this.#firstTokenMs = before === null ? firstTokenMs : before + NEWEST_WEIGHT * (firstTokenMs - before)
  }

  report(): InstanceReport {
    const { upstream } = this
    const { state, rate, limit, samples, openedAt } = this.circuit.report()
    return {
      label: upstream.label,
      name: upstream.name,
      url: upstream.url.href.replace(/\/$/, ''),
      kind: upstream.kind,
      priority: this.priority,
      max: this.max,
      up: upstream.up,
      trouble: upstream.trouble,
      models: upstream.models,
      loaded: upstream.loaded,
      circuit: {
        state,
        failure_rate: rate,
        limit,
        samples,
        opened_at: openedAt === null ? null : openedAt / 1000,
      },
      in_flight: this.#inFlight,
      ttft_ms_ewma: this.#firstTokenMs,
      requests: this.#requests,
      failures: this.#failures,
    }
  }

  async stop(): Promise<void> {
    this.circuit.stop()
    await this.upstream.stop()
  }
}
