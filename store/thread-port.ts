import { parentPort, type Transferable } from 'node:worker_threads'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { CarriedError, FromThread, ToThread } from './thread-handle.ts'

/** An answer whose memory goes with it, instead of a copy. */
export class Handover {
  readonly value: unknown
  readonly transfer: Transferable[]

  constructor(value: unknown, transfer: Transferable[]) {
    this.value = value
    this.transfer = transfer
  }
}

/**
 * Answers the calls of a ThreadHandle, from within its thread. They are taken up one after the other as they come:
 * a handler that is not asynchronous has answered before the next begins.
 *
 * @param handlers by name; what one gives, or the promise it gives resolves to, is the answer; what it throws is refused with
 * @param onPost told what `post` sends
 * @param onStop what is to be done before the thread ends
 */
export function serve(
  handlers: Record<string, (argument: never) => unknown>,
  onPost: (message: unknown) => void = () => {},
  onStop: () => void | Promise<void> = () => {},
): { post(message: unknown, transfer?: Transferable[]): void } {
  const port = parentPort
  if (port === null) throw new Error('this runs in a thread only')
  const send = (message: FromThread, transfer: Transferable[] = []) => port.postMessage(message, transfer)

  const answer = (id: number, name: string, argument: unknown) => {
    const give = (value: unknown) => {
      if (value instanceof Handover) send({ type: 'answer', id, value: value.value }, value.transfer)
      else send({ type: 'answer', id, value })
    }
    const refuse = (error: unknown) => send({ type: 'refusal', id, error: carried(error) })
    try {
      const handler = handlers[name]
      if (handler === undefined) throw new Error(`the thread has no handler ${name}`)
      const value = handler(argument as never)
      if (value instanceof Promise) value.then(give, refuse)
      else give(value)
    } catch (error) {
      refuse(error)
    }
  }

  port.on('message', async (message: ToThread) => {
    if (message.type === 'call') answer(message.id, message.name, message.argument)
    else if (message.type === 'post') onPost(message.message)
    else {
      await onStop()
      process.exit(0)
    }
  })
  return { post: (message, transfer) => send({ type: 'post', message }, transfer) }
}

/** What SQLite refuses is a trouble of the records; what else is thrown is a fault. */
function carried(error: unknown): CarriedError {
  if (error instanceof TokenscopeError) {
    const { code, message, param, details } = error
    return { code, message, param, details }
  }
  const reason = reasonOf(error)
  if ((error as { code?: unknown } | null)?.code === 'ERR_SQLITE_ERROR') {
    const message = `The records cannot be read or written right now: ${reason}. Try again later.`
    return { code: 'RECORDS_UNAVAILABLE', message, param: null, details: null }
  }
  return { code: 'INTERNAL', message: reason, param: null, details: null }
}
