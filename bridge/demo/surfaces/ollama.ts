/** Ollama's own paths. */
import { PASSAGE_BREAK } from '../model/corpus.ts'
import { DEFAULT_TEMPERATURE, DEFAULT_TOP_P } from '../model/generation.ts'
import type { Outcome, Reply, Route, ServerState, Wire } from '../surface.ts'
import { bad, isRecord } from './fields.ts'
import { ARCHITECTURE, CONTEXT_LENGTH, digestOf, NUMBER_FORMAT, parameterCount } from './model-card.ts'
import {
  checkOllamaName,
  type OllamaRequest,
  parseOllamaChat,
  parseOllamaGenerate,
  TAGGED_NAME,
} from './ollama-request.ts'
import { OllamaChatWire, OllamaGenerateWire } from './ollama-wire.ts'

/** The version whose paths and fields these are; clients ask it to know what they can use. */
const VERSION = '0.33.0'

/** The model is never unloaded. */
const NEVER = '9999-12-31T23:59:59Z'

const SHARED = {
  kinds: ['demo', 'ollama'],
  plays: 'ollama',
  errors: ({ message }) => ({ error: message }),
} as const satisfies Partial<Route>

export const ollamaRoutes: readonly Route[] = [
  {
    ...SHARED,
    method: 'POST',
    path: '/api/chat',
    handle({ body }) {
      const request = parseOllamaChat(body)
      const empty = { message: { role: 'assistant', content: '' } }
      return answer(request, empty, outcome => new OllamaChatWire(request, outcome))
    },
  },
  {
    ...SHARED,
    method: 'POST',
    path: '/api/generate',
    handle({ body }, { model }) {
      const request = parseOllamaGenerate(body, model.tokenizer)
      return answer(request, { response: '' }, outcome => new OllamaGenerateWire(request, outcome))
    },
  },
  {
    ...SHARED,
    method: 'GET',
    path: '/api/tags',
    handle: (_call, state) => ({ body: { models: [entry(state)] } }),
  },
  {
    ...SHARED,
    method: 'GET',
    path: '/api/ps',
    handle: (_call, state) => ({ body: { models: [runningEntry(state)] } }),
  },
  { ...SHARED, method: 'POST', path: '/api/show', handle: ({ body }, state) => show(body, state) },
  { ...SHARED, method: 'GET', path: '/api/version', handle: () => ({ body: { version: VERSION } }) },
  { method: 'GET', path: '/', kinds: ['ollama'], handle: () => ({ body: 'Ollama is running' }) },
]

function answer(request: OllamaRequest, empty: object, wire: (outcome: Outcome) => Wire): Reply {
  const { asked, model } = request
  if (asked !== null) return { asked, wire }
  // Without anything to answer Ollama loads the model and says so.
  return {
    body: { model, created_at: new Date().toISOString(), ...empty, done: true, done_reason: 'load' },
  }
}

/** `format` and `parent_model` are empty: the model comes from no file and from no other model. */
function details({ model }: ServerState): object {
  return {
    parent_model: '',
    format: '',
    family: ARCHITECTURE,
    families: [ARCHITECTURE],
    parameter_size: parameterCount(model),
    quantization_level: NUMBER_FORMAT,
  }
}

/** `size` is what the model's tables take in memory: there is no file. */
function identity(state: ServerState): object {
  return {
    name: TAGGED_NAME,
    model: TAGGED_NAME,
    size: state.model.language.bytes,
    digest: digestOf(state.model),
    details: details(state),
  }
}

function entry(state: ServerState): object {
  return { ...identity(state), modified_at: time(state.created) }
}

function runningEntry(state: ServerState): object {
  return { ...identity(state), expires_at: NEVER, size_vram: 0, context_length: CONTEXT_LENGTH }
}

function show(body: unknown, state: ServerState): Reply {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  // Older clients call the field `name`.
  checkOllamaName(body.model ?? body.name)
  const { language, tokenizer } = state.model
  return {
    body: {
      modelfile: `FROM ${TAGGED_NAME}\n`,
      parameters: `temperature ${DEFAULT_TEMPERATURE}\ntop_p ${DEFAULT_TOP_P}`,
      template: `{{ .Prompt }}${PASSAGE_BREAK}`,
      details: details(state),
      model_info: {
        'general.architecture': ARCHITECTURE,
        'general.parameter_count': language.ngrams,
        [`${ARCHITECTURE}.context_length`]: CONTEXT_LENGTH,
        [`${ARCHITECTURE}.order`]: language.order,
        [`${ARCHITECTURE}.vocab_size`]: tokenizer.size,
      },
      capabilities: ['completion', 'tools', 'thinking'],
      modified_at: time(state.created),
    },
  }
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
