/** An error that is an HTTP status and a sentence: one that a played server meets, none of ours. */
import { TokenscopeError } from '../../events/errors.ts'

export class StatusError extends TokenscopeError {
  readonly #status: number

  constructor(status: number, message: string) {
    super('INTERNAL', message)
    this.#status = status
  }

  override get status(): number {
    return this.#status
  }
}
