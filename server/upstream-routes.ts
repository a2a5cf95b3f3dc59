import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { ActiveRequest } from '../bridge/bridge.ts'
import type { InstanceReport } from '../bridge/pool/instance.ts'
import { isFinal } from '../events/generation.ts'
import { success } from './answers.ts'
import { Count, failures, json, oneOf, orNull, successOf } from './api-schema.ts'
import { StateName } from './record-schema.ts'

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

const Circuit = Type.Object({
  state: oneOf(['closed', 'half_open', 'open']),
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
  state: StateName,
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
export const UpstreamsAnswer = successOf(Type.Array(UpstreamEntry), {
  queued: Type.Integer({ minimum: 0, description: 'Requests that wait for a place' }),
})

/** The answer of `GET /scope/v1/workflows/active`. */
export const WorkflowsAnswer = successOf(Type.Array(WorkflowEntry))

const UPSTREAMS = {
  ...{ tags: ['upstreams'], operationId: 'listUpstreams', summary: 'The upstreams as they are' },
  response: {
    200: json(UpstreamsAnswer, 'All of them'),
    ...failures([]),
  },
}
const WORKFLOWS = {
  ...{ tags: ['generations'], operationId: 'listActiveWorkflows', summary: 'What is generated now' },
  response: {
    200: json(WorkflowsAnswer, 'All of them, the oldest request first'),
    ...failures([]),
  },
}

/** `/scope/v1`: the upstreams as they are, and what they are generating. */
export function upstreamRoutes(app: FastifyInstance, upstreams: Upstreams, workflows: Workflows): void {
  app.get('/scope/v1/upstreams', { schema: UPSTREAMS }, async () =>
    success(upstreams.reports(), { queued: upstreams.queued }),
  )

  app.get('/scope/v1/workflows/active', { schema: WORKFLOWS }, async () =>
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
