import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDemoCommand } from '../config.ts'
import { TokenscopeError } from '../events/errors.ts'

/** The program as `pnpm demo` starts it, and what it wrote until it ended or, with `until`, until then. */
class Run {
  readonly child
  output = ''
  errors = ''
  readonly code: Promise<number | null>

  constructor(...args: string[]) {
    const file = join(import.meta.dirname, '../demo.ts')
    this.child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout.on('data', data => {
      this.output += data
    })
    this.child.stderr.on('data', data => {
      this.errors += data
    })
    this.code = once(this.child, 'close').then(([code]) => code as number | null)
  }

  async shown(): Promise<string> {
    while (!this.output.includes('Ctrl-C stops.')) await once(this.child.stdout, 'data')
    return (this.output.match(/listens on (\S+)/) as RegExpMatchArray)[1] as string
  }
}

describe('pnpm demo', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'shows where it listens, answers, and ends in order on %s',
    async signal => {
      const run = new Run(
        '--port',
        '0',
        '--kind',
        'vllm',
        '--rate',
        'max',
        '--fault',
        'say=always',
        '--fault',
        'bom',
      )
      const url = await run.shown()
      expect(run.output).toContain(`${url}/lmstudio/v1`)
      expect(run.output).toContain('as vLLM')
      expect(Math.max(...run.output.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
      const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] })
      const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
      const bytes = Buffer.from(await response.arrayBuffer())
      expect(bytes.subarray(0, 3)).toEqual(Buffer.from('\ufeff'))
      expect(bytes.toString()).toContain('"content":"always"')
      run.child.kill(signal)
      expect(await run.code).toBe(0)
      expect(run.errors).toBe('')
    },
  )

  it('says so when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const run = new Run('--port', String(port))
    expect(await run.code).toBe(1)
    expect(run.errors).toMatch(
      new RegExp(`cannot listen on 127.0.0.1:${port}: .*EADDRINUSE.*choose another port`),
    )
    other.close()
  })

  it('stops at a bad directive, which it names', async () => {
    const run = new Run('--port', '0', '--fault', 'drop=soon')
    expect(await run.code).toBe(1)
    expect(run.errors).toContain('drop is "soon"')
  })

  it('has a help that names every option and directive', async () => {
    const run = new Run('--help')
    expect(await run.code).toBe(0)
    for (const word of [
      '--port PORT',
      '--kind KIND',
      '--rate RATE',
      '--fault DIRECTIVES',
      'silence=DUR[@N]',
    ]) {
      expect(run.output).toContain(word)
    }
  })
})

describe('its command line', () => {
  it('has LM Studio’s port, no kind and thirty tokens a second unless it says otherwise', () => {
    expect(readDemoCommand([])).toEqual({
      kind: 'start',
      config: { port: 1234, kind: 'demo', tokensPerSecond: 30, faults: '' },
    })
    expect(
      readDemoCommand(['--', '--port=8000', '--rate', 'max', '--fault', 'bom', '--fault=cr']),
    ).toMatchObject({
      config: { port: 8000, tokensPerSecond: Number.POSITIVE_INFINITY, faults: 'bom,cr' },
    })
  })

  it.each([
    [['--rate', '0'], '--rate is "0"'],
    [['--rate', 'fast'], '--rate is "fast"'],
    [['--port', '65536'], '--port is "65536"'],
    [['--kind', 'openai'], '--kind is "openai"; it must be demo'],
    [['--host', 'x'], 'Unknown option --host'],
    [['--version'], 'Unknown option --version'],
    [['--fault'], '--fault needs a value'],
    [['vllm'], '"vllm" is not an option'],
  ])('refuses %j', (argv, message) => {
    expect(() => readDemoCommand(argv)).toThrow(message)
  })

  it('does nothing but start, or fail with a named cause', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), argv => {
        try {
          readDemoCommand(argv)
        } catch (error) {
          expect(error).toBeInstanceOf(TokenscopeError)
        }
      }),
    )
  })
})
