/** The demo server by itself, what `pnpm demo` runs: started, shown, and stopped on a signal. */
import { DEMO_MODEL_NAME } from './bridge/demo/index.ts'
import { demoBanner, directiveLines } from './bridge/demo/screen.ts'
import { createDemoServer } from './bridge/demo/server.ts'
import { readDemoCommand } from './config.ts'
import { DEMO_KEYS } from './events/config-keys.ts'
import { reasonOf } from './events/errors.ts'
import { optionLines } from './events/option-lines.ts'
import { stopOnSignals } from './server/lifecycle.ts'

async function run(): Promise<void> {
  const command = readDemoCommand()
  if (command.kind === 'help') {
    const head = [
      `The demo model "${DEMO_MODEL_NAME}" behind HTTP, and its faults.`,
      '',
      'Usage: pnpm demo [options]',
      '',
    ]
    const directives = ['', 'Directives, divided by commas:', '', ...directiveLines()]
    process.stdout.write(`${[...head, ...optionLines(DEMO_KEYS), ...directives].join('\n')}\n`)
    return
  }
  const server = createDemoServer(command.config)
  const { url } = await server.start()
  stopOnSignals(server, text => process.stdout.write(`  ${text}\n`))
  process.stdout.write(demoBanner(url, command.config))
}

await run().catch(error => {
  process.stderr.write(`demo: ${reasonOf(error)}\n`)
  process.exitCode = 1
})
