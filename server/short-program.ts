import { reasonOf } from '../events/errors.ts'

/** What a shell is told of a program that a signal ended. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Runs a program that does one thing and ends: with 0 or the number that the work gives, or, where it fails, with 1 and one line on
 * stderr that begins with its name. A signal stops the work in order; a second one ends the program at once.
 *
 * @param stopped what is to be said then, as "no backup was made"
 * @param options.failed the code of a failure, where 1 says something else
 */
export async function runShortProgram(
  name: string,
  stopped: string,
  work: (signal: AbortSignal) => Promise<unknown>,
  { failed = 1 }: { failed?: number } = {},
): Promise<void> {
  const stopping = new AbortController()
  let code = failed
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
    const given = await work(stopping.signal)
    process.exitCode = typeof given === 'number' ? given : 0
  } catch (error) {
    process.stderr.write(`${name}: ${stopping.signal.aborted ? `stopped; ${stopped}` : reasonOf(error)}\n`)
    process.exitCode = code
  }
}
