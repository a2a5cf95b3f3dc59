import type { UpstreamKind } from '../../events/upstream-spec.ts'

/** What people call a server of each kind; null where only its address tells it from others. */
export const KIND_NAMES: Readonly<Record<UpstreamKind, string | null>> = {
  lmstudio: 'LM Studio',
  llamacpp: 'llama.cpp',
  ollama: 'Ollama',
  vllm: 'vLLM',
  openai: null,
  demo: 'Demo server',
}

/** Paths that only some kinds have, the first that fits. */
const OWN_PATHS: readonly [path: RegExp, kinds: readonly UpstreamKind[]][] = [
  [/^\/api\/v[01](\/|$)/, ['lmstudio']],
  [/^\/api\//, ['ollama']],
  [/^\/(de)?tokenize(\/|$)/, ['llamacpp', 'vllm']],
  [/^\/(completions?|infill|props|slots|apply-template|lora-adapters)(\/|$)/, ['llamacpp']],
  [/^\/v1\/(stream|streams\/lookup|chat\/completions\/control)(\/|$)/, ['llamacpp']],
]

/** The kinds of server that have a path of somebody's own; null where every kind may have it. */
export function kindsOfPath(path: string): readonly UpstreamKind[] | null {
  return OWN_PATHS.find(([pattern]) => pattern.test(path))?.[1] ?? null
}
