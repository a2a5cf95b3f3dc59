import { LRUCache } from 'lru-cache'
import type { Ask } from '../ask.ts'
import { headerOf } from '../headers.ts'

/** As many answers and conversations are remembered; a longer id is nobody's. */
const MAX_IDS = 10_000
const MAX_ID_LENGTH = 256

const RESPONSE_PATH = /\/v1\/responses\/([^/]+)/
const STATEFUL_PATH = /(\/responses|\/api\/v1\/chat)\/?$/

/**
 * Who made which answer, for the requests that go on from one: only the instance that made it knows it.
 * Bounded; what was not asked for longest is forgotten first.
 */
export class Affinity<T extends object> {
  readonly #makers = new LRUCache<string, T>({ max: MAX_IDS })

  /** Who has to answer; undefined if it does not matter or is not known. */
  makerFor(ask: Ask): T | undefined {
    for (const id of idsOf(ask)) {
      const maker = this.#makers.get(id)
      if (maker !== undefined) return maker
    }
    return undefined
  }

  /** Notes who answers a request that is part of a conversation. */
  begun(ask: Ask, maker: T): void {
    const id = conversationOf(ask)
    if (id !== null) this.#note(id, maker)
  }

  /** Notes who made the answer with this id, where a later request can go on from it. */
  answered(ask: Ask, id: string, maker: T): void {
    if (STATEFUL_PATH.test(ask.path)) this.#note(`answer ${id}`, maker)
  }

  #note(id: string, maker: T): void {
    if (id.length <= MAX_ID_LENGTH) this.#makers.set(id, maker)
  }
}

function idsOf(ask: Ask): string[] {
  const ids: string[] = []
  const previous = ask.facts?.previous ?? null
  if (previous !== null) ids.push(`answer ${previous}`, `conversation ${previous}`)
  const named = RESPONSE_PATH.exec(ask.path)?.[1]
  if (named !== undefined) ids.push(`answer ${decoded(named)}`)
  const conversation = conversationOf(ask)
  if (conversation !== null) ids.push(conversation)
  return ids
}

/** llama.cpp names a conversation in a header, and where it is gone back to in the query. */
function conversationOf(ask: Ask): string | null {
  const header = headerOf(ask.headers, 'x-conversation-id')
  if (header !== null) return `conversation ${header}`
  if (!ask.path.endsWith('/v1/stream')) return null
  const id = new URLSearchParams(ask.target.slice(ask.path.length + 1)).get('conv_id')
  return id === null ? null : `conversation ${id}`
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
