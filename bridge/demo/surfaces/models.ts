/** `/v1/models`: the one model, with what each server says about it there. */
import { type Route, SERVER_KINDS, type ServerKind, type ServerState } from '../surface.ts'
import { CONTEXT_LENGTH, PUBLISHER } from './model-card.ts'
import { checkModelName, DEMO_MODEL_NAME } from './model-name.ts'

export const modelsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/models',
    kinds: SERVER_KINDS,
    handle: ({ kind }, state) => ({ body: listOf(kind, state) }),
  },
  {
    method: 'GET',
    path: '/v1/models/:id*',
    kinds: ['demo', 'lmstudio', 'ollama', 'vllm'],
    handle({ kind, params }, state) {
      checkModelName(params.id ?? '')
      return { body: modelEntry(kind, state) }
    },
  },
]

function listOf(kind: ServerKind, state: ServerState): object {
  const data = [modelEntry(kind, state)]
  if (kind !== 'llamacpp') return { object: 'list', data }
  const named = { name: DEMO_MODEL_NAME, model: DEMO_MODEL_NAME, modified_at: '', size: '', digest: '' }
  const details = { parent_model: '', format: '', family: '', families: [''], parameter_size: '' }
  const model = {
    ...named,
    type: 'model',
    description: '',
    tags: [''],
    capabilities: ['completion'],
    parameters: '',
    details: { ...details, quantization_level: '' },
  }
  return { models: [model], object: 'list', data }
}

/** The entry of a list; `created` in Unix seconds. */
function modelEntry(kind: ServerKind, { created, model }: ServerState): object {
  const entry = { id: DEMO_MODEL_NAME, object: 'model', created }
  switch (kind) {
    case 'demo':
      return { ...entry, owned_by: PUBLISHER }
    case 'lmstudio':
      return { id: entry.id, object: entry.object, owned_by: 'organization_owner' }
    case 'ollama':
      return { ...entry, owned_by: 'library' }
    case 'llamacpp': {
      const { tokenizer, language } = model
      const meta = {
        vocab_type: 2,
        n_vocab: tokenizer.size,
        n_ctx_train: CONTEXT_LENGTH,
        n_embd: 0,
        n_params: language.ngrams,
        size: language.bytes,
      }
      return { ...entry, owned_by: 'llamacpp', meta }
    }
    case 'vllm': {
      const permission = {
        id: `modelperm-${created.toString(16)}`,
        object: 'model_permission',
        created,
        allow_create_engine: false,
        allow_sampling: true,
        allow_logprobs: true,
        allow_search_indices: false,
        allow_view: true,
        allow_fine_tuning: false,
        organization: '*',
        group: null,
        is_blocking: false,
      }
      const card = { root: DEMO_MODEL_NAME, parent: null, max_model_len: CONTEXT_LENGTH }
      return { ...entry, owned_by: 'vllm', ...card, permission: [permission] }
    }
  }
}
