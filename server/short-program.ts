import { reasonOf } from '../events/errors.ts'

/** What a shell is told of a program that a signal ended. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Runs a program that does one thing and ends: with 0, or with 1 and one line on stderr that begins with its name.
 * A signal stops the work in order; a second one ends the program at once.
 *
 * @param stopped what is to be said then, as "no backup was made"
 */
export async function runShortProgram(
  name: string,
  stopped: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController()
  let code = 1
  // Whoever read the output may have gone (`| head`, a closed terminal); the work goes on.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {})
  for (const signal of Object.keys(SIGNAL_CODES) as (keyof typeof SIGNAL_CODES)[]) {
    process.on(signal, () => {
      code = SIGNAL_CODES[signal]
      if (stopping.signal.aborted) process.exit(code)
      stopping.abort()
    })
  }
  try {
    await work(stopping.signal)
    process.exitCode = 0
  } catch (error) {
    process.stderr.write(`${name}: ${stopping.signal.aborted ? `stopped; ${stopped}` : reasonOf(error)}\n`)
    process.exitCode = code
  }
}
