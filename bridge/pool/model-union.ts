import { Readable } from 'node:stream'
import { reasonOf, TokenscopeError } from '../../events/errors.ts'
import type { Ask } from '../ask.ts'
import type { AnswerListener, Sending } from '../transport.ts'
import type { Upstream } from '../upstream.ts'
import { field, type Json } from './model-list.ts'

/** An instance that has not answered by then is left out, ms. */
const PATIENCE_MS = 3000

/** What of the client's headers is about an answer that it does not get: the union is made here. */
const NOT_ASKED = /^(accept.*|content-.*|if-.*|range|transfer-encoding)$/i

export interface ModelUnionOptions {
  ask: Ask
  /** At least one; the first to list an id is the one whose entry counts. */
  upstreams: readonly Upstream[]
  /** Told of one answer. */
  listener: AnswerListener
  signal: AbortSignal
}

interface Answer {
  status: number
  body: Buffer
}

/** Whether a request asks for the list of all models. */
export function asksForModels({ method, path }: Pick<Ask, 'method' | 'path'>): boolean {
  return method === 'GET' && path === '/v1/models'
}

/**
 * The list of models of several instances as one: each is asked now, and each model is told as its upstream tells it.
 *
 * Instances that do not answer, in time or with a list, are left out. If none gives a list, the first answer there is
 * is passed on; without any it is broken with UPSTREAM_UNREACHABLE.
 */
export class ModelUnion implements Sending {
  readonly #options: ModelUnionOptions
  readonly #abort = new AbortController()

  constructor(options: ModelUnionOptions) {
    this.#options = options
    if (options.ask.body instanceof Readable) options.ask.body.destroy()
    void this.#run()
  }

  /** Nothing is held back. */
  resume(): void {}

  abort(reason: Error): void {
    this.#abort.abort(reason)
  }

  async #run(): Promise<void> {
    const { ask, upstreams, listener, signal } = this.#options
    const given = AbortSignal.any([signal, this.#abort.signal])
    const whole = AbortSignal.any([given, AbortSignal.timeout(PATIENCE_MS)])
    const headers = endToEnd(ask.headers)
    const settled = await Promise.allSettled(upstreams.map(one => one.get(ask.target, headers, whole)))
    const readAt = performance.now()
    if (given.aborted) {
      listener.broken(given.reason as Error, readAt)
      return
    }
    const answers = settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
    const [first] = answers
    if (first === undefined) {
      const reasons = settled.flatMap(one => (one.status === 'rejected' ? [reasonOf(one.reason)] : []))
      const message = `No upstream gave its list of models: ${reasons.join('; ')}.`
      listener.broken(new TokenscopeError('UPSTREAM_UNREACHABLE', message), readAt)
      return
    }
    const union = unionOf(answers)
    const body = union === null ? first.body : Buffer.from(JSON.stringify({ object: 'list', data: union }))
    const status = union === null ? first.status : 200
    const length = ['content-type', 'application/json', 'content-length', String(body.length)]
    listener.head({ status, statusText: '', headers: length }, readAt)
    listener.chunk(body, readAt)
    listener.end(readAt)
  }
}

/** The models of all lists, the first for each id; null if there is no list. */
function unionOf(answers: readonly Answer[]): Json[] | null {
  const lists = answers.flatMap(({ status, body }) => {
    const data = status === 200 ? dataOf(body) : null
    return data === null ? [] : [data]
  })
  if (lists.length === 0) return null
  const models = new Map<Json, Json>()
  for (const model of lists.flat()) {
    const id = field(model, 'id')
    if (typeof id === 'string' && !models.has(id)) models.set(id, model)
  }
  return [...models.values()]
}

function dataOf(body: Buffer): Json[] | null {
  try {
    const data = field(JSON.parse(body.toString('utf8')), 'data')
    return Array.isArray(data) ? data : null
  } catch {
    return null
  }
}

function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    if (!NOT_ASKED.test(raw[i] as string)) kept.push(raw[i] as string, raw[i + 1] as string)
  }
  return kept
}
