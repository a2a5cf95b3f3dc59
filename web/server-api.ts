import type { ComponentReport } from '../events/components.ts'

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

/** What the page asks the server to generate. */
export interface PromptRequest {
  prompt: string
  temperature?: number
  model?: string
}

type Answer<T> = { success: true; data: T } | { success: false; error: string; error_code: string }

/** Starts a generation and gives its id. Throws an Error whose message is a sentence for a person. */
export async function startGeneration(request: PromptRequest): Promise<string> {
  const { generation } = await call<{ generation: string }>('POST', '/scope/v1/generations', request)
  return generation
}

/** Stops a generation. Throws an Error whose message is a sentence for a person. */
export async function stopGeneration(id: string): Promise<void> {
  await call<unknown>('DELETE', `/scope/v1/generations/${encodeURIComponent(id)}`)
}

/** How the server is; null where it cannot be asked. */
export async function askReadiness(): Promise<Readiness | null> {
  try {
    return await call<Readiness>('GET', '/readyz')
  } catch {
    return null
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { accept: 'application/json' } }
  if (body !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  let response: Response
  try {
    response = await fetch(path, init)
  } catch {
    throw new Error('Tokenscope is not answering. Is it still running?')
  }
  if (response.status === 204) return undefined as T
  const answer = (await response.json().catch(() => null)) as Answer<T> | null
  if (answer === null) throw new Error(`Tokenscope answered ${response.status} without saying more.`)
  // Readiness says 503 and still tells everything.
  if (!answer.success) throw new Error(answer.error)
  return answer.data
}
