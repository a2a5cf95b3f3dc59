/**
 * The same pieces, each asked for while the one before is in use, so that who takes them does not wait for each. Ends
 * with the source, or at once when the signal aborts, whatever the source is doing; then the source is let go.
 *
 * @param source whose pieces are each memory of their own
 */
export async function* readAhead<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  const iterator = source[Symbol.asyncIterator]()
  let isDone = false
  try {
    let next = iterator.next()
    while (!signal.aborted) {
      const result = await unlessAborted(next, signal)
      if (result === null) return
      if (result.done === true) {
        isDone = true
        return
      }
      next = iterator.next()
      // What becomes of it is asked for later, or never.
      next.catch(() => {})
      yield result.value
    }
  } catch (error) {
    isDone = true
    throw error
  } finally {
    if (!isDone) Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

/** What the promise comes to; null as soon as the signal aborts. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const aborted = () => resolve(null)
    signal.addEventListener('abort', aborted, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  })
}
