/** The model that a request names where nothing is generated: there no dialect reads it. */
import { field } from './model-list.ts'

const MODEL_PATH = /^\/(?:v1|api\/v0)\/models\/(.+)$/

/**
 * The model that a request for one of the list names in its path.
 *
 * @param path without its query
 */
export function modelInPath(method: string, path: string): string | null {
  const named = method === 'GET' ? MODEL_PATH.exec(path)?.[1] : undefined
  if (named === undefined) return null
  try {
    return decodeURIComponent(named)
  } catch {
    return named
  }
}

/** The model that a parsed body names, as those of embeddings do; Ollama's older clients call it `name`. */
export function modelInBody(path: string, body: unknown): string | null {
  const model = field(body, 'model') ?? (path.startsWith('/api/') ? field(body, 'name') : undefined)
  return typeof model === 'string' && model !== '' ? model : null
}
