/**
 * The one table of metrics, and the narrow interface through which rooms report them.
 *
 * Rooms count and observe through a `Meter`; what stands behind it (Prometheus) is known to `health/` only.
 */
type MetricType = 'counter' | 'gauge' | 'histogram'

interface MetricRow {
  type: MetricType
  help: string
  labels: readonly string[]
  buckets?: readonly number[]
  /** Of a gauge without labels that is not there before it is set; any other begins with 0. */
  absent?: true
}

// OpenTelemetry's GenAI buckets end at 10 s, too short for a long prefill on local hardware: the
// doublings after them keep the compatible ones in place.
const TTFT_BUCKETS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 320,
  640,
]
const INTER_TOKEN_BUCKETS = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5,
]
const FAST_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]

export const METRICS = {
  tokenscope_tokens_total: {
    type: 'counter',
    help: 'Tokens seen, by upstream, model and kind. One add per token.',
    labels: ['upstream', 'model', 'kind'],
  },
  tokenscope_generations_total: {
    type: 'counter',
    help: 'Generations that ended, by final state.',
    labels: ['state'],
  },
  tokenscope_time_to_first_token_seconds: {
    type: 'histogram',
    help: 'From the request to the first event with content.',
    labels: [],
    buckets: TTFT_BUCKETS,
  },
  tokenscope_inter_token_seconds: {
    type: 'histogram',
    help: 'Between one event with content and the next of a generation.',
    labels: [],
    buckets: INTER_TOKEN_BUCKETS,
  },
  tokenscope_sse_errors_total: {
    type: 'counter',
    help: 'Streams that did not end as a stream should, by kind.',
    labels: ['kind'],
  },
  tokenscope_upstream_up: {
    type: 'gauge',
    help: '1 while the upstream answers, 0 while it does not.',
    labels: ['upstream'],
  },
  tokenscope_circuit_state: {
    type: 'gauge',
    help: 'Circuit breaker of the upstream: 0 closed, 1 half open, 2 open.',
    labels: ['upstream'],
  },
  tokenscope_cache_hits_total: {
    type: 'counter',
    help: 'Requests that were answered from the response cache.',
    labels: [],
  },
  tokenscope_cache_misses_total: {
    type: 'counter',
    help: 'Requests that were looked up in the response cache in vain.',
    labels: [],
  },
  tokenscope_replays: { type: 'gauge', help: 'Recordings that are being played.', labels: [] },
  tokenscope_broadcast_messages_total: {
    type: 'counter',
    help: 'Log entries delivered to viewers.',
    labels: [],
  },
  tokenscope_broadcast_clients: { type: 'gauge', help: 'Viewers connected.', labels: [] },
  tokenscope_broadcast_lag_entries: {
    type: 'histogram',
    help: 'Entries between a viewer and the head of the log, seen at each acknowledgement.',
    labels: [],
    buckets: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
  },
  tokenscope_broadcast_tokens_per_frame: {
    type: 'histogram',
    help: 'Tokens gathered in a frame, one observation for each frame that was made, however many viewers got it.',
    labels: [],
    buckets: [1, 2, 5, 10, 20, 40, 80, 160, 320, 640],
  },
  tokenscope_broadcast_closed_total: {
    type: 'counter',
    help: 'WebSocket connections that ended, by close code; `other` is one that is not in our table.',
    labels: ['code'],
  },
  tokenscope_broadcast_skipped_total: {
    type: 'counter',
    help: 'Entries that viewers were moved past, by the reason of the gap.',
    labels: ['reason'],
  },
  tokenscope_pipeline_latency_seconds: {
    type: 'histogram',
    help: 'From reading the bytes of a token upstream to writing it to the first viewer.',
    labels: [],
    buckets: FAST_BUCKETS,
  },
  tokenscope_records_entries_total: {
    type: 'counter',
    help: 'Log entries that were recorded.',
    labels: [],
  },
  tokenscope_records_lost_entries_total: {
    type: 'counter',
    help: 'Log entries that could not be recorded and were left out.',
    labels: [],
  },
  tokenscope_records_bytes: { type: 'gauge', help: 'Bytes that the records take.', labels: [] },
  tokenscope_records_commit_seconds: {
    type: 'histogram',
    help: 'Writing a batch of entries into the records.',
    labels: [],
    buckets: FAST_BUCKETS,
  },
  tokenscope_layout_seconds: {
    type: 'histogram',
    help: 'One layout step of the compositor.',
    labels: ['backend', 'layout'],
    buckets: [0.00001, 0.00005, ...FAST_BUCKETS],
  },
  tokenscope_pas_score: {
    type: 'gauge',
    help: 'Structural health of the source tree, from 0 to 1 (PAS); NaN where there is nothing to score.',
    labels: [],
    absent: true,
  },
  tokenscope_pas_dimension: {
    type: 'gauge',
    help: 'One dimension of it, from 0 to 1, after calibration; NaN where it is not defined.',
    labels: ['name'],
  },
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof METRICS
export type Labels<N extends MetricName> = Record<(typeof METRICS)[N]['labels'][number], string>

type NameOf<T extends MetricType> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never
}[MetricName]

/** Adds to a counter, or one observation to a histogram. */
export type MeterHandle = (value: number) => void

/** Where rooms report to. Every call is synchronous, cheap (under a microsecond) and never throws. */
export interface Meter {
  /** Adds `by` (1 if not given) to a counter. */
  count<N extends NameOf<'counter'>>(name: N, labels: Labels<N>, by?: number): void
  /** Sets a gauge. */
  set<N extends NameOf<'gauge'>>(name: N, labels: Labels<N>, value: number): void
  /** Adds one observation (seconds, or entries where the metric says so) to a histogram. */
  observe<N extends NameOf<'histogram'>>(name: N, labels: Labels<N>, value: number): void
  /** `count` or `observe` with the place for these labels already found, for who reports at every token. */
  handle<N extends NameOf<'counter' | 'histogram'>>(name: N, labels: Labels<N>): MeterHandle
}
