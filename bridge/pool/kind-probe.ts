import type { UpstreamKind } from '../../events/upstream-spec.ts'
import {
  field,
  isLmStudioList,
  type Json,
  lmStudioLoaded,
  lmStudioV0Loaded,
  ollamaLoaded,
  ownersIn,
} from './model-list.ts'

/**
 * Asks a server for something small: the JSON of an answer with status 200, undefined where there is none.
 * Rejects if no answer came.
 */
export type GetJson = (path: string) => Promise<Json>

/** What each kind is known by. A status is not enough: LM Studio answers 200 to paths that it does not have. */
const SIGNS: readonly [kind: UpstreamKind, shows: (get: GetJson) => Promise<boolean>][] = [
  [
    'lmstudio',
    async get =>
      isLmStudioList(await get('/api/v1/models')) || lmStudioV0Loaded(await get('/api/v0/models')) !== null,
  ],
  ['ollama', async get => typeof field(await get('/api/version'), 'version') === 'string'],
  ['llamacpp', async get => typeof field(await get('/props'), 'default_generation_settings') === 'object'],
]

/** Owners of models that only one kind names so. */
const OWNERS: Readonly<Record<string, UpstreamKind>> = {
  tokenscope: 'demo',
  vllm: 'vllm',
  llamacpp: 'llamacpp',
}

/** Owners that a kind shares with others, and that say only where to ask first. */
const HINTS: Readonly<Record<string, UpstreamKind>> = { library: 'ollama' }

/**
 * Finds out what kind of server it is, by what its list of models says and else by asking for what only one
 * kind has: four small requests at most.
 *
 * @param listed its answer to `/v1/models`
 * @throws whatever `get` rejects with: then the kind is not known
 */
export async function probeKind(listed: Json, get: GetJson): Promise<UpstreamKind> {
  const owners = ownersIn(listed)
  for (const owner of owners) {
    const kind = Object.hasOwn(OWNERS, owner) ? OWNERS[owner] : undefined
    // Gateways list vLLM's models under its name, but have no version of its own.
    if (kind === 'vllm' && typeof field(await get('/version'), 'version') !== 'string') continue
    if (kind !== undefined) return kind
  }
  const hinted = owners.map(owner => (Object.hasOwn(HINTS, owner) ? HINTS[owner] : undefined))
  const order = SIGNS.toSorted(([a], [b]) => Number(hinted.includes(b)) - Number(hinted.includes(a)))
  for (const [kind, shows] of order) {
    if (await shows(get)) return kind
  }
  return 'openai'
}

/**
 * The models that a server has in memory.
 *
 * @returns null where its kind does not say
 * @throws whatever `get` rejects with
 */
export async function loadedModels(kind: UpstreamKind, get: GetJson): Promise<string[] | null> {
  if (kind === 'ollama') return ollamaLoaded(await get('/api/ps'))
  if (kind !== 'lmstudio') return null
  return lmStudioLoaded(await get('/api/v1/models')) ?? lmStudioV0Loaded(await get('/api/v0/models'))
}
