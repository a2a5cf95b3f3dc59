import { describe, expect, it } from 'vitest'
import { readShmCommand, type ShmConfig } from '../../config/shm-command.ts'

const DEFAULTS: ShmConfig = {
  folder: '.',
  form: 'terminal',
  output: null,
  tests: false,
  baseline: null,
  writeBaseline: false,
  gate: false,
  watch: false,
  since: null,
  threads: null,
  colour: true,
}

const read = (argv: string[], env: NodeJS.ProcessEnv = {}): ShmConfig => {
  const command = readShmCommand(argv, env)
  if (command.kind !== 'start') throw new Error(`expected a start, got ${command.kind}`)
  return command.config
}

describe('the command line of pnpm shm', () => {
  it('scores this folder for a person if nothing is said', () => {
    expect(read([])).toEqual(DEFAULTS)
    expect(read(['--'])).toEqual(DEFAULTS)
    expect(readShmCommand(['--json', '--help'], {})).toEqual({ kind: 'help' })
  })

  it('takes what it is told', () => {
    const argv =
      'src --sarif --output out.sarif --tests --baseline b.json --gate --write-baseline --since main'
    expect(read([...argv.split(' '), '--threads=3', '--no-color'])).toEqual({
      ...DEFAULTS,
      folder: 'src',
      form: 'sarif',
      output: 'out.sarif',
      tests: true,
      baseline: 'b.json',
      gate: true,
      writeBaseline: true,
      since: 'main',
      threads: 3,
      colour: false,
    })
  })

  it('takes no folder for the value of a switch', () => {
    for (const form of ['json', 'sarif', 'html', 'dot', 'mermaid', 'debug'])
      expect(read([`--${form}`, 'src'])).toEqual({ ...DEFAULTS, form, folder: 'src' })
    expect(read(['--watch', 'src'])).toMatchObject({ watch: true, folder: 'src' })
    expect(read(['--json', '--json']).form).toBe('json')
  })

  it('is without colours where the environment says so, and takes nothing else from it', () => {
    expect(read([], { NO_COLOR: '1', TOKENSCOPE_PORT: '1', TOKENSCOPE_WHATEVER: 'x' }).colour).toBe(false)
    expect(read([], { NO_COLOR: '' }).colour).toBe(true)
  })

  it.each([
    [['--dot', '--mermaid', '--json'], '--json and --dot and --mermaid are forms of one report.'],
    [['', '--json'], 'The folder to score is empty'],
    [['a', 'b'], '"b" is one folder too many.'],
    [['--threads', '65'], '--threads is "65"; it must be a whole number from 1 to 64, or auto.'],
    [['--threads', 'many'], '--threads is "many"'],
    [['--since=--all'], '--since is "--all"; it must be a commit, as git names it.'],
    [['--gate=off'], '--gate takes no value.'],
    [['--watch', '--write-baseline'], '--watch does not end, and --write-baseline is about the end.'],
    [['--port', '1'], 'Unknown option --port.'],
  ])('refuses %j', (argv, message) => {
    expect(() => readShmCommand(argv, {})).toThrow(message)
  })
})
