import { type Signal, signal } from '@preact/signals'
import { readSetting, writeSetting } from '../settings.ts'
import type { GenerationRequest, Started } from './generation-request.ts'
import { PromptHistory } from './prompt-history.ts'
import { type PromptSettings, readSettings, requestsOf } from './prompt-settings.ts'

const SETTINGS = 'prompt'
const HISTORY = 'prompts'

export interface ComposeOptions {
  /** Starts a generation. Rejects with an Error whose message is a sentence for a person. */
  start(request: GenerationRequest): Promise<Started>
  /** The models that are listed now. */
  models(): readonly string[]
  /** Told of what this page began: one generation, or those of one prompt to two models. */
  began(ids: readonly string[]): void
}

/** What this page asks for: prompts, and other ends of answers that were read. */
export class Compose {
  /** What is set beside the prompt; this browser remembers it. */
  readonly settings: Signal<PromptSettings>
  readonly history: PromptHistory
  readonly #options: ComposeOptions

  constructor(options: ComposeOptions) {
    this.#options = options
    this.settings = signal(readSettings(readSetting(SETTINGS)))
    this.history = new PromptHistory(readSetting(HISTORY))
  }

  /** Sets some of it. */
  set(changes: Partial<PromptSettings>): void {
    this.settings.value = { ...this.settings.peek(), ...changes }
    writeSetting(SETTINGS, JSON.stringify(this.settings.peek()))
  }

  /**
   * Sends a prompt, to two models where a second one is set.
   *
   * @returns what was begun
   * @throws Error with a sentence for a person where one was not begun; the other of two goes on
   */
  async ask(text: string): Promise<readonly Started[]> {
    const requests = requestsOf(text, this.settings.peek(), this.#options.models())
    const answers = await Promise.allSettled(requests.map(request => this.#options.start(request)))
    const started = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []))
    if (started.length > 0) {
      this.history.join(readSetting(HISTORY))
      this.history.add(text)
      writeSetting(HISTORY, this.history.saved)
      this.#options.began(started.map(({ id }) => id))
    }
    const refused = answers.find(answer => answer.status === 'rejected')
    if (refused !== undefined) throw refused.reason
    return started
  }

  /**
   * Asks for another end of an answer: what comes after token `index`, or after `alternative` in its place.
   *
   * @returns the id of the new generation, whose `parent` is the old one
   * @throws Error with a sentence for a person
   */
  async continueFrom(generationId: string, index: number, alternative?: string): Promise<string> {
    const text = alternative === undefined ? {} : { text: alternative }
    const { id } = await this.#options.start({ continue: { generation: generationId, index, ...text } })
    this.#options.began([id])
    return id
  }
}
