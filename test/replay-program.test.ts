import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lengthOf } from '../store/file/recording-length.ts'
import { Replays } from '../store/replay/replays.ts'
import { stateEvent, tokenEvent } from './support/hub-events.ts'
import { RecordingMeter } from './support/hub-meter.ts'
import { Program } from './support/program.ts'
import { inPieces, recordingBytes } from './support/recording-bytes.ts'

/** Unix seconds at which the recorded requests came. */
const CAME = 1_700_000_000

/** A generation of three tokens that took so long, with its last token at its end. */
function recording(id: string, ms: number): Buffer {
  const first = ms / 2
  const generating = { ttft_ms: first, elapsed_ms: first }
  const token = (index: number, at: number) => ({ ...tokenEvent(id, index), timestamp: CAME + at / 1000 })
  const events = [
    stateEvent(id, 'queued'),
    stateEvent(id, 'generating', generating),
    token(0, first),
    token(1, first),
    token(2, ms),
    stateEvent(id, 'done', { ...generating, elapsed_ms: ms, ending: 'stop', tokens_processed: 3 }),
  ]
  return recordingBytes(events, { startedAt: CAME, requestedAt: CAME })
}

let scratch: string
let data: string
let file: string
let server: Server
let url: string
let answer: (request: IncomingMessage, response: ServerResponse) => void
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'tokenscope-replay-'))
  data = join(scratch, 'data')
  file = join(scratch, 'one.jsonl')
  mkdirSync(data)
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  writeFileSync(join(data, 'server.json'), JSON.stringify({ pid: process.pid, url }))
})
afterEach(async () => {
  server.closeAllConnections()
  if (server.listening) await new Promise(resolve => server.close(resolve))
  rmSync(scratch, { recursive: true, force: true })
})

const program = (...args: string[]) => new Program(args, { program: 'replay.ts', cwd: scratch })

async function run(...args: string[]) {
  const one = program(...args)
  const code = await one.exited
  return { code, stdout: one.stdout, stderr: one.stderr }
}

/** Plays what it is sent, as the server does; `played` are the events. */
function playing() {
  const played: { text?: string; state?: string; ending?: string | null }[] = []
  const asked: (string | undefined)[] = []
  const begun = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  answer = async (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['content-type']}`)
    const speed = new URL(request.url ?? '', url).searchParams.get('speed')
    const replays = new Replays({
      records: { export: () => inPieces(Buffer.alloc(0)) },
      emit: event => {
        if (event.type === 'neural_state') played.push({ state: event.state, ending: event.ending })
        else played.push({ text: event.token_text })
        begun.resolve()
      },
      meter: new RecordingMeter(),
    })
    const closed = new AbortController()
    response.once('close', () => {
      closed.abort()
      gone.resolve()
    })
    const answered = await replays
      .play(request as AsyncIterable<Uint8Array>, speed === 'unlimited' ? null : Number(speed), closed.signal)
      .then(
        data => ({ success: true, data }),
        error => ({ success: false, error: error.message, error_code: error.code }),
      )
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answered))
  }
  return { played, asked, begun: begun.promise, gone: gone.promise }
}

describe('pnpm replay', () => {
  it('plays a file into the server that holds the data folder, and ends with a line', async () => {
    const { played, asked } = playing()
    writeFileSync(file, Buffer.concat([recording('g_a', 400), recording('g_b', 2000)]))
    const done = await run('--', 'one.jsonl', '--data', data, '--speed', '8')
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(asked).toEqual(['POST /scope/v1/replays?speed=8 application/x-ndjson'])
    expect(done.stdout).toMatch(/^ {2}playing ×8: \d+ %, \d s of 2 s/)
    expect(done.stdout.trimEnd().split('\n').at(-1)).toMatch(/^ {2}played 2 recordings of 2 s: g_\w+, g_\w+$/)
    const one = ['queued', 'generating', ' 0', ' 1', ' 2', 'done']
    expect(played.map(({ text, state }) => text ?? state)).toEqual([...one, ...one])
  })

  it('plays as fast as it can, and into a server that is named', async () => {
    const { asked } = playing()
    writeFileSync(file, recording('g_a', 3_600_000))
    const done = await run(file, '--data', join(scratch, 'none'), '--url', url, '--speed', 'unlimited')
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(asked).toEqual(['POST /scope/v1/replays?speed=unlimited application/x-ndjson'])
    expect(done.stdout).toMatch(/played 1 recording of 1 h: g_\w+\n$/)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops the replay on %s', async (signal, code) => {
    const { played, begun, gone } = playing()
    writeFileSync(file, recording('g_a', 3_600_000))
    const one = program(file, '--data', data)
    await one.written(/playing/)
    await begun
    one.child.kill(signal)
    expect(await one.exited).toBe(code)
    expect(one.stderr).toBe('replay: stopped; what was played until then stays.\n')
    await gone
    expect(played.at(-1)).toEqual({ state: 'cancelled', ending: 'client_gone' })
  })

  it('says so when no server is there, or one that is none, or one that breaks off', async () => {
    writeFileSync(file, recording('g_a', 100))
    const none = await run(file, '--data', join(scratch, 'none'))
    expect(none).toEqual({
      code: 1,
      stdout: '',
      stderr: `replay: No Tokenscope runs on the data folder ${join(scratch, 'none')}. Start it with pnpm start, or say with --url where it is.\n`,
    })
    answer = (_request, response) => response.writeHead(404).end('nothing here')
    expect((await run(file, '--data', data)).stderr).toBe(
      `replay: What answers at ${url} is no Tokenscope, or one that cannot replay: it said 404. Say with --url where it is.\n`,
    )
    answer = request => request.socket.destroy()
    expect((await run(file, '--data', data)).stderr).toMatch(
      new RegExp(`^replay: The connection to ${url} broke: .*\\. What was played until then stays\\.\\n$`),
    )
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    expect((await run(file, '--data', data)).stderr).toBe(
      `replay: No Tokenscope answers at ${url}. Start it with pnpm start, or say with --url where it is.\n`,
    )
  })

  it('passes on what the server refuses it with', async () => {
    writeFileSync(file, recording('g_a', 100))
    answer = (_request, response) => {
      const refusal = { success: false, error: 'Tokenscope is stopping.', error_code: 'DRAINING' }
      response.writeHead(503).end(JSON.stringify(refusal))
    }
    const refused = await run(file, '--data', data)
    expect(refused).toMatchObject({ code: 1, stderr: 'replay: Tokenscope is stopping.\n' })
  })

  it('plays nothing of a file that is damaged or cut off, and names its line', async () => {
    const { asked } = playing()
    const whole = recording('g_a', 100)
    writeFileSync(file, whole.subarray(0, whole.length - 40))
    expect((await run(file, '--data', data)).stderr).toMatch(/^replay: Line \d+ is not of a whole recording/)
    writeFileSync(file, whole.toString().replace(' 1', ' 7'))
    expect((await run(file, '--data', data)).stderr).toMatch(/checksum/)
    writeFileSync(file, 'Dear Ada\n')
    expect((await run(file, '--data', data)).stderr).toMatch(/^replay: Line 1 /)
    expect((await run(join(scratch, 'gone.jsonl'), '--data', data)).stderr).toMatch(
      /^replay: There is no file /,
    )
    expect((await run(scratch, '--data', data)).stderr).toMatch(
      /^replay: .+ is a folder\. Name a recording\.$/m,
    )
    expect(asked).toEqual([])
  })
})

it('a file is as long as what is played of it, one after the other', async () => {
  const bytes = Buffer.concat([recording('g_a', 400), recording('g_b', 2000)])
  expect(await lengthOf(inPieces(bytes))).toEqual({ recordings: 2, ms: 2400 })
})
