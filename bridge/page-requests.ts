import type { Ask } from './ask.ts'
import { type BegunAnswer, BrokenAnswers, continuationOf, refusal } from './continuation.ts'
import { type Endpoint, endpointOf } from './dialects/index.ts'
import type { Exchange } from './exchange.ts'
import { type Prompt, promptRequest } from './page-prompt.ts'
import type { Upstream } from './upstream.ts'
import type { UpstreamSet } from './upstream-set.ts'

/** Who asks when it is the page. */
const PAGE = 'page'

/** A request of the page, and the instance that it was made for. */
export interface PageRequest {
  ask: Ask
  upstream: Upstream
  /** Parameters that this upstream is not asked with. */
  leftOut: string[]
}

/**
 * The requests that the page makes: its prompts in the dialect that tells most, and continuations of answers, from
 * where they broke off or from any of their tokens. It learns from every answer what to ask for next time.
 */
export class PageRequests {
  readonly #upstreams: UpstreamSet
  readonly #broken = new BrokenAnswers()
  /** Models that gave no logprobs where the page asked for them, with their upstreams. */
  readonly #withoutLogprobs = new Set<string>()

  constructor(upstreams: UpstreamSet) {
    this.#upstreams = upstreams
  }

  /** @throws TokenscopeError NO_UPSTREAM */
  ofPrompt(prompt: Prompt): PageRequest {
    const upstream = this.#upstreams.forPage(prompt.model ?? null)
    const model = prompt.model ?? upstream.defaultModel
    const gaveNone = this.#withoutLogprobs.has(modelKey(upstream, model))
    const about = { kind: upstream.kind ?? 'openai', model, gaveNone }
    const { path, body, leftOut } = promptRequest(prompt, about)
    return { ask: askOf(path, body, upstream, null), upstream, leftOut }
  }

  /** @throws TokenscopeError NOT_FOUND, NOT_CONTINUABLE, NO_UPSTREAM */
  ofParent(parent: string): PageRequest {
    const answered = this.#broken.take(parent)
    const body = continuationOf(answered)
    const upstream = this.#upstreams.labelled(answered.upstream)
    return { ask: askOf(answered.path, body, upstream, parent), upstream, leftOut: [] }
  }

  /** @throws TokenscopeError NOT_CONTINUABLE, NO_UPSTREAM */
  ofBegun({ generation, upstream: label, target, body, text, saidOther }: BegunAnswer): PageRequest {
    const path = target.split('?', 1)[0] as string
    const endpoint = endpointOf('POST', path)
    if (body === null) throw refusal('its request is not recorded')
    if (endpoint === null) throw refusal(`nothing on ${path} goes on with an answer`)
    const upstream = this.#upstreams.labelled(label)
    const content = continuationOf({
      ...{ upstream: label, path, text, saidOther },
      body: Buffer.from(body),
      dialect: endpoint.request.name,
      kind: upstream.kind ?? 'openai',
    })
    return { ask: askOf(path, content, upstream, generation), upstream, leftOut: [] }
  }

  /** Takes note of an answer that is over, whoever asked for it. */
  learn(ask: Ask, exchange: Exchange, upstream: Upstream): void {
    this.#keepBroken(ask, exchange, upstream)
    const [generation] = exchange.generations
    if (generation?.state !== 'done' || generation.tokens === 0 || !ask.path.endsWith('/v1/responses')) return
    const key = modelKey(upstream, ask.model)
    if (generation.hasLogprobs) this.#withoutLogprobs.delete(key)
    // Only the page's own prompts are known to have asked for them.
    else if (ask.caller === PAGE) this.#withoutLogprobs.add(key)
  }

  /** Keeps what can be gone on with, if the answer did not come to its natural end. */
  #keepBroken(ask: Ask, exchange: Exchange, upstream: Upstream): void {
    if (!Buffer.isBuffer(ask.body) || ask.endpoint === null) return
    for (const { id, state, said } of exchange.generations) {
      if (state !== 'interrupted' && state !== 'cancelled') continue
      this.#broken.keep(id, {
        upstream: upstream.label,
        path: ask.path,
        body: ask.body,
        dialect: ask.endpoint.request.name,
        kind: upstream.kind ?? 'openai',
        text: said.text,
        saidOther: said.other,
      })
    }
  }
}

function askOf(path: string, content: object, upstream: Upstream, parent: string | null): Ask {
  const endpoint = endpointOf('POST', path) as Endpoint
  const facts = endpoint.request.request(content)
  const body = Buffer.from(JSON.stringify(content))
  return {
    method: 'POST',
    target: path,
    path,
    headers: [
      ...['content-type', 'application/json', 'accept', 'text/event-stream, application/x-ndjson'],
      ...['accept-encoding', 'identity', 'content-length', String(body.length)],
    ],
    body,
    endpoint,
    facts,
    model: facts.model,
    only: upstream,
    parent,
    caller: PAGE,
    priority: 0,
  }
}

function modelKey(upstream: Upstream, model: string | null): string {
  return `${upstream.label}\n${model ?? ''}`
}
