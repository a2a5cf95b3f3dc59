/** llama.cpp's own completion on the wire. */
import { type DemoModel, WINDOW_CHARACTERS } from '../model/demo-model.ts'
import type {
  AnswerToken,
  Finish,
  Frame,
  ModelError,
  Outcome,
  Part,
  PromptProgress,
  Wire,
} from '../surface.ts'
import type { LlamaRequest } from './llamacpp-request.ts'
import { settingsOf } from './llamacpp-settings.ts'
import { timingsOf } from './llamacpp-timings.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { entriesOf, errorData } from './openai-habits.ts'
import { joined } from './outcomes.ts'

/** How one completion looks. */
export class LlamaWire implements Wire {
  readonly format = 'sse'
  readonly flushesEarly = true
  readonly keepAlive = ':\n\n'
  readonly #request: LlamaRequest
  readonly #outcome: Outcome
  readonly #model: DemoModel
  readonly #path: string

  /** `path` is that of the request, which the form of its errors goes by. */
  constructor(request: LlamaRequest, outcome: Outcome, model: DemoModel, path: string) {
    this.#request = request
    this.#outcome = outcome
    this.#model = model
    this.#path = path
  }

  opening(): Frame[] {
    return []
  }

  loading(): Frame[] {
    return []
  }

  prefilling({ total, processed, ms }: PromptProgress): Frame[] {
    if (!this.#request.asked.stream || !this.#request.returnProgress) return []
    const progress = { total, cache: 0, processed, time_ms: Math.round(ms) }
    return [this.#chunk(0, [], { prompt_progress: progress })]
  }

  begin(): Frame[] {
    return []
  }

  tokens(choice: number, _part: Part, tokens: readonly AnswerToken[]): Frame[] {
    // Text waits until its characters are whole; a token inside of one has no chunk, and its entry is lost.
    if (joined(tokens) === '') return []
    const timings = this.#request.timingsPerToken ? { timings: timingsOf(this.#outcome) } : {}
    return [this.#chunk(choice, tokens, { ...timings, ...this.#probabilities(tokens) })]
  }

  end(): Frame[] {
    return []
  }

  finish(choice: number, finish: Finish): Frame[] {
    return [{ data: JSON.stringify(this.#final(choice, finish, { content: '', tokens: [] })) }]
  }

  closing(): Frame[] {
    return []
  }

  sentinel(): Frame[] {
    return []
  }

  failing(error: ModelError): Frame[] {
    return [{ data: errorData('llamacpp', error, this.#path) }]
  }

  whole(): unknown {
    const all = this.#outcome.choices.map(({ finish }, index) => {
      const tokens = this.#tokensOf(index)
      const ids = this.#request.returnTokens ? tokens.map(({ id }) => id) : []
      const said = { content: joined(tokens), tokens: ids }
      return { ...this.#final(index, finish ?? 'stop', said), ...this.#probabilities(tokens) }
    })
    return all.length === 1 ? all[0] : all
  }

  #chunk(index: number, tokens: readonly AnswerToken[], more: object): Frame {
    const chunk = {
      index,
      content: joined(tokens),
      tokens: tokens.map(({ id }) => id),
      stop: false,
      id_slot: index,
      tokens_predicted: this.#outcome.choices[index]?.count ?? 0,
      tokens_evaluated: this.#outcome.prompt.length,
      ...more,
    }
    return { data: JSON.stringify(chunk) }
  }

  #final(index: number, finish: Finish, said: { content: string; tokens: number[] }): object {
    const { asked } = this.#request
    const choice = this.#outcome.choices[index]
    const word = choice?.stopSequence ?? null
    return {
      index,
      ...said,
      id_slot: index,
      stop: true,
      model: DEMO_MODEL_NAME,
      tokens_predicted: choice?.count ?? 0,
      tokens_evaluated: this.#outcome.prompt.length,
      generation_settings: settingsOf(this.#request),
      prompt: this.#model.tokenizer.decode(this.#outcome.prompt),
      has_new_line: joined(this.#tokensOf(index)).includes('\n'),
      truncated: asked.prompt.length > WINDOW_CHARACTERS,
      stop_type: finish === 'length' ? 'limit' : word === null ? 'eos' : 'word',
      stopping_word: word ?? '',
      tokens_cached: 0,
      timings: timingsOf(this.#outcome),
    }
  }

  #tokensOf(index: number): AnswerToken[] {
    return this.#outcome.choices[index]?.parts.flatMap(({ tokens }) => tokens) ?? []
  }

  #probabilities(tokens: readonly AnswerToken[]): object {
    const entries =
      this.#request.asked.topCount === 0 ? [] : entriesOf('llamacpp', tokens, { tokensAsIds: false })
    return entries.length === 0 ? {} : { completion_probabilities: entries }
  }
}
