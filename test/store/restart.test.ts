import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SnapshotGeneration } from '../../broadcast/protocol.ts'
import { received, send } from '../support/app.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { NODE_FLAGS, Program } from '../support/program.ts'
import { list, tokensOf, toldOf } from '../support/records-audit.ts'
import { Spectator } from '../support/spectator.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const LAYOUTS = ['map', 'flow', 'timeline']

let folder = ''
let demo: Demo
const programs: Program[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-restart-'))
  demo = await new Demo().start()
})
afterEach(async () => {
  for (const program of programs.splice(0)) await program.kill()
  await demo.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function start(data: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const flags = ['--upstream', `${demo.url},max=20`, '--port', '0', '--data', join(folder, data)]
  const program = new Program([...flags, '--gpu', 'cpu', '--drain-seconds', '0'])
  programs.push(program)
  const url = await program.url()
  const stop = async () => {
    program.child.kill('SIGTERM')
    expect(await program.exited).toBe(0)
  }
  return { url, stop }
}

/** Several answers at once, some with logprobs, some of two choices. */
async function generate(url: string, answers: number): Promise<void> {
  const one = async (i: number) => {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': `tokens=${5 + 97 * i}` }
    const body = {
      ...CHAT,
      seed: i,
      n: 1 + (i % 2),
      ...(i % 3 === 0 ? { logprobs: true, top_logprobs: 3 } : {}),
    }
    return received(await send(url, { headers, body }))
  }
  await Promise.all(Array.from({ length: answers }, (_, i) => one(i)))
}

/** All that a page is shown when it opens, and the pictures of all layouts. */
async function shownAt(url: string) {
  const viewer = await Spectator.watch(url)
  const hello = viewer.messages.find(message => message.type === 'hello')
  const generations = viewer.messages.flatMap((message): SnapshotGeneration[] =>
    message.type === 'snapshot' ? message.generations : [],
  )
  const pictures: Record<string, string> = {}
  for (const layout of LAYOUTS) {
    const answer = await fetch(`${url}/scope/v1/frame.png?layout=${layout}&w=400&h=300`)
    expect(answer.status).toBe(200)
    pictures[layout] = createHash('sha256')
      .update(new Uint8Array(await answer.arrayBuffer()))
      .digest('hex')
  }
  viewer.close()
  const epoch = hello?.type === 'hello' ? hello.epoch : ''
  return { epoch, page: { generations, pictures, records: await list(url) } }
}

describe('records that were there before', () => {
  test('a restart shows what was shown; the map keeps its cells and goes on after them', async () => {
    const first = await start('data')
    const viewer = await Spectator.watch(first.url)
    await generate(first.url, 8)
    await viewer.end(11)
    const before = await shownAt(first.url)
    const cells = new Map(
      viewer.tokens.map(({ generation, index, position }) => [`${generation}:${index}`, position]),
    )
    viewer.close()
    await first.stop()

    const second = await start('data')
    const after = await shownAt(second.url)
    expect(after.page.generations).toEqual(before.page.generations)
    expect(after.page.records).toEqual(before.page.records)
    expect(after.page.pictures.map).toBe(before.page.pictures.map)
    const [log, count] = before.epoch.split('.') as [string, string]
    expect(after.epoch).toBe(`${log}.${Number(count) + 1}`)

    const next = await Spectator.watch(second.url)
    await generate(second.url, 1)
    await next.end()
    const taken = new Set([...cells.values()].map(String))
    for (const { position } of next.tokens) expect(taken).not.toContain(String(position))
    next.close()
    for (const { generation } of after.page.records) {
      for (const token of await tokensOf(second.url, generation)) {
        expect(token.position).toEqual(cells.get(`${generation}:${token.index}`))
      }
    }
    await second.stop()
  }, 60_000)

  test('what viewers saw is what is recorded, to the last digit', async () => {
    const { url, stop } = await start('data')
    const viewer = await Spectator.watch(url)
    await generate(url, 4)
    await viewer.end(5)
    for (const generation of viewer.generations) {
      const seen = viewer.tokens.filter(token => token.generation === generation).map(toldOf)
      expect((await tokensOf(url, generation)).map(toldOf)).toEqual(seen)
    }
    viewer.close()
    await stop()
  }, 60_000)

  test('a backup that is restored on an empty machine gives the same page', async () => {
    const first = await start('data')
    await generate(first.url, 6)
    await first.stop()
    const second = await start('data')
    const before = await shownAt(second.url)
    const file = join(folder, 'kept.db')
    const node = (program: string, ...args: string[]) =>
      run(process.execPath, [...NODE_FLAGS, join(ROOT, program), ...args])
    // While the server runs, as a person would.
    await node('backup.ts', file, '--data', join(folder, 'data'))
    await second.stop()
    await node('restore.ts', file, '--data', join(folder, 'elsewhere'))
    const restored = await start('elsewhere')
    const after = await shownAt(restored.url)
    expect(after.page).toEqual(before.page)
    // Browsers that knew the first machine are not to take this log for the same.
    expect(after.epoch.split('.')[0]).not.toBe(before.epoch.split('.')[0])
    await restored.stop()
  }, 60_000)
})
