import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node'

/**
 * Ends a run with one line alone, `N passed, N failed`, from the runner's own results. Before it stands a
 * line for each test that was skipped, with the reason if one was given.
 *
 * What fails outside of a test (a file that does not load, a hook of a suite, an error that nobody caught)
 * counts as one failure each, and so does a test that never finished. Tests skipped because such a thing
 * failed are listed, not counted.
 */
export default class CountsReporter implements Reporter {
  private watching = false

  onInit(vitest: Vitest): void {
    this.watching = vitest.config.watch
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests = modules.flatMap(module => [...module.children.allTests()])
    const of = (state: string) => tests.filter(test => test.result().state === state)
    const outside = modules.flatMap(module => [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap(suite => suite.errors()),
    ])
    const failed = of('failed').length + of('pending').length + outside.length + unhandledErrors.length
    const lines = [...of('skipped').map(skippedLine), `${of('passed').length} passed, ${failed} failed`]
    const print = () => process.stdout.write(`${lines.join('\n')}\n`)
    // Other reporters print at the same time as this one, and Vitest itself after them: only at the exit
    // of the process is this line the last.
    if (this.watching) print()
    else process.once('exit', print)
  }
}

function skippedLine(test: TestCase): string {
  const result = test.result()
  const note = (result.state === 'skipped' && result.note) || (test.options.mode === 'todo' ? 'todo' : '')
  const name = `${test.module.relativeModuleId} > ${test.fullName}`
  return note ? `skipped: ${name}: ${note}` : `skipped: ${name}`
}
