import type { FastifyInstance } from 'fastify'
import Type, { type TSchema } from 'typebox'
import type { ActiveRequest } from '../bridge/bridge.ts'
import type { InstanceReport } from '../bridge/pool/instance.ts'
import { isFinal } from '../events/generation.ts'
import { success } from './answers.ts'

/** A generation of which nothing was heard for so long is stalled, ms: reading a long prompt takes its time. */
const STALLED_MS = 10_000
const STALLED_BEFORE_FIRST_TOKEN_MS = 60_000

/** What is asked of the set of upstreams. */
export interface Upstreams {
  reports(): InstanceReport[]
  /** Requests that wait for a place. */
  readonly queued: number
}

/** What is asked of the bridge. */
export interface Workflows {
  /** The requests that generate now, the oldest first. */
  active(): ActiveRequest[]
}

const orNull = (schema: TSchema) => Type.Union([schema, Type.Null()])
const Count = Type.Integer({ minimum: 0 })

const Circuit = Type.Object({
  state: Type.Enum(['closed', 'half_open', 'open']),
  failure_rate: orNull(Type.Number()),
  limit: Type.Number(),
  samples: Count,
  opened_at: orNull(Type.Number()),
})

const UpstreamEntry = Type.Object({
  label: Type.String(),
  name: Type.String(),
  url: Type.String(),
  kind: orNull(Type.String()),
  priority: Count,
  max: Count,
  up: Type.Boolean(),
  trouble: orNull(Type.String()),
  models: Type.Array(Type.String()),
  loaded: orNull(Type.Array(Type.String())),
  circuit: Circuit,
  in_flight: Count,
  ttft_ms_ewma: orNull(Type.Number()),
  requests: Count,
  failures: Count,
})

const WorkflowEntry = Type.Object({
  generation: Type.String(),
  state: Type.String(),
  model: orNull(Type.String()),
  upstream: Type.String(),
  tokens: Count,
  estimated: Type.Boolean(),
  progress: orNull(Type.Number()),
  elapsed_ms: Type.Number(),
  silent_ms: Type.Number(),
  queued: Type.Boolean(),
  stalled: Type.Boolean(),
})

/** The answer of `GET /scope/v1/upstreams`. */
export const UpstreamsAnswer = answerOf(Type.Array(UpstreamEntry), Type.Object({ queued: Count }))

/** The answer of `GET /scope/v1/workflows/active`. */
export const WorkflowsAnswer = answerOf(Type.Array(WorkflowEntry), Type.Object({}))

/** `/scope/v1`: the upstreams as they are, and what they are generating. */
export function upstreamRoutes(app: FastifyInstance, upstreams: Upstreams, workflows: Workflows): void {
  app.get('/scope/v1/upstreams', { schema: { response: { 200: UpstreamsAnswer } } }, async () =>
    success(upstreams.reports(), { queued: upstreams.queued }),
  )

  app.get('/scope/v1/workflows/active', { schema: { response: { 200: WorkflowsAnswer } } }, async () =>
    success(workflows.active().flatMap(report => entriesOf(report, performance.now()))),
  )
}

/**
 * A line for each generation of a request that still runs.
 *
 * @param now on the clock of `performance.now()`
 */
export function entriesOf({ generations, upstream, startedAt, heardAt, queued }: ActiveRequest, now: number) {
  const silentMs = Math.max(0, now - heardAt)
  return generations
    .filter(({ state }) => !isFinal(state))
    .map(({ id, state, model, tokens, estimated, progress }) => {
      const patience = tokens > 0 ? STALLED_MS : STALLED_BEFORE_FIRST_TOKEN_MS
      return {
        generation: id,
        state,
        model,
        upstream,
        tokens,
        estimated,
        progress,
        elapsed_ms: Math.round(Math.max(0, now - startedAt)),
        silent_ms: Math.round(silentMs),
        queued,
        // Who waits for a place is not stuck: nothing was asked of an upstream yet.
        stalled: !queued && silentMs >= patience,
      }
    })
}

function answerOf(data: TSchema, metadata: TSchema): TSchema {
  return Type.Object({ success: Type.Literal(true), data, metadata })
}
