/** Ollama's own chat and generate on the wire: lines of JSON, the last with the counts and durations. */
import type { AnswerToken, Frame, ModelError, Outcome, Part, Wire } from '../surface.ts'
import type { OllamaRequest } from './ollama-request.ts'
import { entriesOf } from './openai-habits.ts'
import { generatedCount, isWholeCall, joined, onlyChoice, textOf } from './outcomes.ts'

/**
 * What `/api/chat` and `/api/generate` have in common; they differ in where the text stands. Text waits until
 * its characters are whole; a token inside of one has no line, and its entry is lost.
 */
abstract class OllamaWire implements Wire {
  readonly format = 'ndjson'
  readonly flushesEarly = false
  readonly keepAlive = null
  protected readonly outcome: Outcome
  readonly #request: OllamaRequest
  /** Of a call that is being made. */
  #arguments: AnswerToken[] = []

  constructor(request: OllamaRequest, outcome: Outcome) {
    this.#request = request
    this.outcome = outcome
  }

  /** The fields that hold the text, the thought or the calls of a line. */
  protected abstract body(said: Said): object

  /** Fields of the last line of this path alone. */
  protected abstract ending(): object

  opening(): Frame[] {
    return []
  }

  loading(): Frame[] {
    return []
  }

  prefilling(): Frame[] {
    return []
  }

  begin(): Frame[] {
    return []
  }

  tokens(_choice: number, part: Part, tokens: readonly AnswerToken[]): Frame[] {
    // A call is told as a whole when it is complete.
    if (part.kind === 'tool_call') {
      this.#arguments.push(...tokens)
      return []
    }
    const text = joined(tokens)
    if (text === '') return []
    const said = part.kind === 'reasoning' ? { thinking: text } : { text }
    return [this.#line({ ...this.body(said), done: false, ...this.#logprobs(tokens) })]
  }

  end(_choice: number, part: Part): Frame[] {
    const calls = callsOf(part, this.#arguments)
    return calls.length === 0 ? [] : [this.#line({ ...this.body({ calls }), done: false })]
  }

  finish(): Frame[] {
    return []
  }

  closing(): Frame[] {
    return [this.#line({ ...this.body({}), ...this.#ending() })]
  }

  sentinel(): Frame[] {
    return []
  }

  failing({ message }: ModelError): Frame[] {
    return [{ data: JSON.stringify({ error: message }) }]
  }

  whole(): unknown {
    const { parts } = onlyChoice(this.outcome)
    const calls = parts.flatMap(({ part, tokens }) => callsOf(part, tokens))
    const told = parts.flatMap(({ part, tokens }) => (part.kind === 'tool_call' ? [] : tokens))
    const thinking = textOf(this.outcome, 'reasoning')
    return {
      ...this.#head(),
      ...this.body({
        text: textOf(this.outcome, 'message'),
        ...(thinking === '' ? {} : { thinking }),
        ...(calls.length === 0 ? {} : { calls }),
      }),
      ...this.#ending(),
      ...this.#logprobs(told),
    }
  }

  #line(fields: object): Frame {
    return { data: JSON.stringify({ ...this.#head(), ...fields }) }
  }

  #head(): object {
    return { model: this.#request.model, created_at: this.outcome.date.toISOString() }
  }

  #ending(): object {
    const { loadMs, prefillMs, generateMs, totalMs } = this.outcome.timing
    return {
      done: true,
      // A call ends as any other answer does.
      done_reason: onlyChoice(this.outcome).finish === 'length' ? 'length' : 'stop',
      ...this.ending(),
      total_duration: nanoseconds(totalMs),
      load_duration: nanoseconds(loadMs ?? 0),
      prompt_eval_count: this.outcome.prompt.length,
      prompt_eval_duration: nanoseconds(prefillMs ?? 0),
      eval_count: generatedCount(this.outcome),
      eval_duration: nanoseconds(generateMs),
    }
  }

  #logprobs(tokens: readonly AnswerToken[]): object {
    const entries = this.#request.logprobs ? entriesOf('ollama', tokens, { tokensAsIds: false }) : []
    return entries.length === 0 ? {} : { logprobs: entries }
  }
}

/** What a line says. */
interface Said {
  readonly text?: string
  readonly thinking?: string
  readonly calls?: readonly object[]
}

/** A line of `/api/chat`. */
export class OllamaChatWire extends OllamaWire {
  protected body({ text = '', thinking, calls }: Said): object {
    return {
      message: {
        role: 'assistant',
        content: text,
        ...(thinking === undefined ? {} : { thinking }),
        ...(calls === undefined ? {} : { tool_calls: calls }),
      },
    }
  }

  protected ending(): object {
    return {}
  }
}

/** A line of `/api/generate`. */
export class OllamaGenerateWire extends OllamaWire {
  protected body({ text = '', thinking }: Said): object {
    return { response: text, ...(thinking === undefined ? {} : { thinking }) }
  }

  /** The tokens of the prompt and of the answer, for a request that goes on from here. */
  protected ending(): object {
    const tokens = onlyChoice(this.outcome).parts.flatMap(part => part.tokens)
    return { context: [...this.outcome.prompt, ...tokens.map(({ id }) => id)] }
  }
}

/** The call of a part, if it is one and was not cut off. */
function callsOf(part: Part, tokens: readonly AnswerToken[]): object[] {
  if (part.tool === undefined || !isWholeCall(part, tokens)) return []
  const { id, name, arguments: text } = part.tool
  return [{ id, function: { index: 0, name, arguments: JSON.parse(text) as unknown } }]
}

function nanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6)
}
