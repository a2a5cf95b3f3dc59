/** What can be stopped in order. */
export interface Stoppable {
  stop(): Promise<void>
}

/**
 * Stops the program on SIGINT or SIGTERM: the first signal drains and exits with 0, a second one exits at
 * once, with the code that shells give for it.
 *
 * @param say tells the person at the terminal what is going on
 */
export function stopOnSignals(program: Stoppable, say: (text: string) => void): void {
  // Whoever read the output may have gone (`| head`, a closed terminal): there is nobody left to tell, and no
  // reason to end without a drain.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {})
  let stopping = false
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143)
    stopping = true
    say('stopping; a second signal stops at once')
    program.stop().then(
      () => process.exit(0),
      error => {
        say(`the stop failed: ${error instanceof Error ? error.stack : error}`)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}
