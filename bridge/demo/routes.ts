/** The one list of what the demo server answers, and who answers what. */
import { type Route, SERVER_KINDS, type ServerKind } from './surface.ts'
import { chatRoutes } from './surfaces/chat.ts'
import { completionsRoutes } from './surfaces/completions.ts'
import { llamacppRoutes } from './surfaces/llamacpp.ts'
import { lmStudioRoutes } from './surfaces/lmstudio.ts'
import { messagesRoutes } from './surfaces/messages.ts'
import { modelsRoutes } from './surfaces/models.ts'
import { ollamaRoutes } from './surfaces/ollama.ts'
import { responsesRoutes } from './surfaces/responses.ts'
import { vllmRoutes } from './surfaces/vllm.ts'

/** In this order, the first that has a path takes it. */
export const ROUTES: readonly Route[] = [
  ...chatRoutes,
  ...completionsRoutes,
  ...modelsRoutes,
  ...responsesRoutes,
  ...messagesRoutes,
  ...lmStudioRoutes,
  ...ollamaRoutes,
  ...llamacppRoutes,
  ...vllmRoutes,
]

/** A path and whom the server plays on it. */
export interface Address {
  readonly kind: ServerKind
  /** Without the prefix that chose the kind. */
  readonly path: string
}

export type Match =
  | { readonly found: 'route'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path is there for other methods. */
  | { readonly found: 'path'; readonly methods: readonly string[] }
  | { readonly found: 'nothing' }

/** Takes the prefix off a path that begins with the name of a kind: `/vllm/v1/models` is vLLM's `/v1/models`. */
export function addressOf(path: string, fallback: ServerKind): Address {
  const [, first, rest = ''] = /^\/([a-z]+)(\/.*)?$/.exec(path) ?? []
  const kind = SERVER_KINDS.find(one => one === first)
  return kind === undefined ? { kind: fallback, path } : { kind, path: rest === '' ? '/' : rest }
}

/** The route of a server's path; HEAD is answered as GET. */
export function matchRoute(method: string, { kind, path }: Address): Match {
  const methods: string[] = []
  for (const route of ROUTES) {
    if (!route.kinds.includes(kind)) continue
    const params = paramsOf(route.path, path)
    if (params === null) continue
    if (route.method === (method === 'HEAD' ? 'GET' : method)) return { found: 'route', route, params }
    methods.push(route.method)
  }
  return methods.length === 0 ? { found: 'nothing' } : { found: 'path', methods }
}

/** What stands in `path` for the names of `pattern`; null if it does not fit. */
function paramsOf(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const params: Record<string, string> = {}
  for (const [i, segment] of wanted.entries()) {
    const value = given[i]
    if (value === undefined) return null
    if (segment.startsWith(':') && segment.endsWith('*')) {
      params[segment.slice(1, -1)] = decoded(given.slice(i).join('/'))
      return params
    }
    if (segment.startsWith(':') && value !== '') params[segment.slice(1)] = decoded(value)
    else if (segment !== value) return null
  }
  return given.length === wanted.length ? params : null
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
