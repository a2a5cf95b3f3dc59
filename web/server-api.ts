import type { ComponentReport } from '../events/components.ts'
import type { RecordedToken } from '../store/recording.ts'

/** What `/readyz` says. */
export interface Readiness {
  status: 'ready' | 'degraded' | 'not_ready'
  version: string
  components: ComponentReport[]
}

/** The facts of the component `upstream`, as far as the page uses them. */
export interface UpstreamFacts {
  name?: string
  url?: string
  up?: boolean
  demo?: boolean
  standing_in?: boolean
  models?: string[]
  base_url?: string
}

/** Tokens of a generation in their order, and where the next ones begin; null: there are no more. */
export interface TokenPage {
  tokens: RecordedToken[]
  next: string | null
}

type Answer<T> =
  | { success: true; data: T; metadata?: { pagination?: { next_cursor: string | null } } }
  | { success: false; error: string; error_code: string }

/** Stops a generation. Throws an Error whose message is a sentence for a person. */
export async function stopGeneration(id: string): Promise<void> {
  await callServer<unknown>('DELETE', `/scope/v1/generations/${encodeURIComponent(id)}`)
}

/** Recorded tokens of a generation; null where nothing is recorded of it. Throws an Error where it cannot be asked. */
export async function readTokens(
  id: string,
  limit: number,
  cursor: string | null,
): Promise<TokenPage | null> {
  const query = new URLSearchParams({ limit: String(limit), ...(cursor === null ? {} : { cursor }) })
  try {
    const path = `/scope/v1/generations/${encodeURIComponent(id)}/tokens?${query}`
    const { data, metadata } = await callServer<RecordedToken[]>('GET', path)
    return { tokens: data, next: metadata?.pagination?.next_cursor ?? null }
  } catch (error) {
    if ((error as Error).cause === 'NOT_FOUND') return null
    throw error
  }
}

/** How the server is; null where it cannot be asked. */
export async function askReadiness(): Promise<Readiness | null> {
  try {
    return (await callServer<Readiness>('GET', '/readyz')).data
  } catch {
    return null
  }
}

/** Throws an Error whose message is a sentence for a person, and whose cause is the server's code if it gave one. */
export async function callServer<T>(
  method: string,
  path: string,
  body?: unknown,
  signal: AbortSignal | null = null,
): Promise<Extract<Answer<T>, { success: true }>> {
  const init: RequestInit = { method, signal, headers: { accept: 'application/json' } }
  if (body instanceof Blob) {
    init.headers = { accept: 'application/json', 'content-type': 'application/x-ndjson' }
    init.body = body
  } else if (body !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  let response: Response
  try {
    response = await fetch(path, init)
  } catch {
    throw new Error('Tokenscope is not answering. Is it still running?')
  }
  const answer = (await response.json().catch(() => null)) as Answer<T> | null
  if (answer === null) throw new Error(`Tokenscope answered ${response.status} without saying more.`)
  // Readiness says 503 and still tells everything.
  if (!answer.success) throw new Error(answer.error, { cause: answer.error_code })
  return answer
}
