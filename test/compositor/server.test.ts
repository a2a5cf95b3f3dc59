import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ViewMessage } from '../../broadcast/protocol/messages.ts'
import { backendFor } from '../../compositor/adapter.ts'
import type { ComponentReport } from '../../events/components.ts'
import { readChat } from '../support/chat-answer.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { gpuAnswer, noGpu } from '../support/gpu.ts'
import { isRunning, untilGone } from '../support/processes.ts'
import { Program } from '../support/program.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

let folder: string
let upstream: Demo
const programs: Program[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-compositor-'))
  upstream = await new Demo({ faults: 'tokens=1' }).start()
})
afterEach(async () => {
  for (const program of programs.splice(0)) await program.kill()
  await upstream.stop()
  rmSync(folder, { recursive: true, force: true })
})

function start(args: string[], env: NodeJS.ProcessEnv = {}): Program {
  const usual = ['--upstream', upstream.url, '--port', '0', '--data', join(folder, 'data')]
  const program = new Program([...usual, ...args], { env })
  programs.push(program)
  return program
}

/** Asks for an answer whose every token is told, one token if nothing else is said. */
function generate(url: string, directives = ''): Promise<Response> {
  const headers = { 'x-demo': directives }
  const body = JSON.stringify({ ...CHAT, logprobs: true })
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
}

async function report(url: string): Promise<ComponentReport> {
  const answer = await fetch(`${url}/readyz`, { headers: { accept: 'application/json' } })
  const { components } = (await answer.json()).data as { components: ComponentReport[] }
  return components.find(({ name }) => name === 'compositor') as ComponentReport
}

async function pidOf(url: string): Promise<number | null> {
  return (await report(url)).facts?.pid as number | null
}

/** The process after the one that was killed, once it has laid something out. */
function nextPid(url: string, killed: number | undefined): Promise<number> {
  return vi.waitFor(
    async () => {
      const facts = (await report(url)).facts as { pid: number | null; tokens: number }
      expect([killed, null]).not.toContain(facts.pid)
      expect(facts.tokens).toBeGreaterThan(0)
      return facts.pid as number
    },
    { timeout: 60_000, interval: 5 },
  )
}

/** Asks for the upper left of the map, where all of a test's tokens lie; gives them by their ids. */
async function lookAt(viewer: Spectator, id: number): Promise<Map<string, [number, number]>> {
  viewer.send({ type: 'viewport', id, layout: 'map', x: 0, y: 0, w: 512, h: 512, zoom: 8 })
  const parts = () =>
    viewer.messages.filter((message): message is ViewMessage => message.type === 'view' && message.id === id)
  await viewer.until(() => parts().some(({ last }) => last))
  return new Map(
    parts()
      .flatMap(({ tokens }) => tokens)
      .map(token => [token.id, [token.x, token.y]]),
  )
}

/** Watches, has one answer generated, and waits until it is laid out. */
async function watchAnswer(url: string): Promise<{ viewer: Spectator; pid: number }> {
  const viewer = await Spectator.watch(url)
  await lookAt(viewer, 1)
  await (await generate(url)).text()
  await viewer.end()
  await vi.waitFor(async () => expect((await report(url)).facts?.tokens).toBe(1), { timeout: 20_000 })
  return { viewer, pid: (await pidOf(url)) as number }
}

describe.skipIf(noGpu)(`a server that lays out on a GPU ${noGpu ?? ''}`, () => {
  it('shows viewers everything while what lays out is killed in mid-stream', async () => {
    const scope = await startScope({ upstreams: [upstream.url], gpu: 'webgpu' })
    const kills = rounds(100)
    const pids: number[] = []
    const viewers = await Promise.all([1, 2].map(() => Spectator.watch(scope.url)))
    const answer = generate(scope.url, `tokens=${kills * 20},silence=forever@11`).then(one =>
      one.arrayBuffer(),
    )
    await viewers[0]?.until(() => viewers[0]?.tokens.length === 11)
    for (let i = 0; i < kills; i++) {
      const pid = await nextPid(scope.url, pids.at(-1))
      process.kill(pid, 'SIGKILL')
      pids.push(pid)
      upstream.server.goOn(20)
    }
    const [choice] = readChat(Buffer.from(await answer)).choices
    expect([choice?.entries.length, choice?.finish]).toEqual([kills * 20, 'stop'])
    const text = choice?.text
    for (const viewer of viewers) {
      expect(await viewer.end()).toMatchObject({ state: 'done' })
      expect(viewer.textOf(viewer.generations[0] as string)).toBe(text)
      const seqs = viewer.entries.map(({ seq }) => seq)
      expect(seqs).toEqual(seqs.map((_, i) => i + 1))
      expect(viewer.messages.filter(({ type }) => type === 'gap')).toEqual([])
    }
    expect(new Set(pids).size).toBe(kills)
    await vi.waitFor(
      async () =>
        expect((await report(scope.url)).facts).toMatchObject({
          tokens: kills * 20,
          backend: kills < 3 ? 'webgpu' : 'cpu',
          restarts: kills,
        }),
      { timeout: 60_000 },
    )
    const [viewer] = viewers as [Spectator]
    const places = viewer.tokens.map(({ generation, index, position }) => [
      `${generation}:${index}`,
      position,
    ])
    expect(await lookAt(viewer, 2)).toEqual(new Map(places as [string, [number, number]][]))
    const pid = (await pidOf(scope.url)) as number
    await scope.stop()
    expect(isRunning(pid)).toBe(false)
  })

  it('says so in its banner, writes shaders where it is told, and leaves no process', async () => {
    const dump = join(folder, 'wgsl')
    const program = start([], { TOKENSCOPE_GPU: 'webgpu', TOKENSCOPE_DUMP_WGSL: dump })
    const url = await program.url()
    expect(program.stdout).toContain(`● ${backendFor('webgpu', gpuAnswer).detail}\n`)
    expect(await pidOf(url)).toBeNull()
    const { pid } = await watchAnswer(url)
    expect(readFileSync(join(dump, 'map.wgsl'), 'utf8')).toContain('fn layout_map')
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /tokenscope_layout_seconds_count\{backend="webgpu",layout="map"\} [1-9]/,
    )
    program.child.kill('SIGINT')
    expect(await program.exited).toBe(0)
    expect(isRunning(pid)).toBe(false)
    expect(program.stderr).toBe('')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'does not lose it to a %s that reaches all its processes',
    async signal => {
      const program = start(['--gpu', 'webgpu', '--drain-seconds', '60'])
      const url = await program.url()
      const { pid } = await watchAnswer(url)
      process.kill(pid, signal)
      const viewer = await Spectator.watch(url)
      await (await generate(url)).text()
      await viewer.end()
      expect((await report(url)).facts).toMatchObject({ restarts: 0, pid })
    },
  )

  it('takes its process with it when it is killed', async () => {
    const program = start(['--gpu', 'webgpu'])
    const { pid } = await watchAnswer(await program.url())
    await program.kill()
    await untilGone(pid)
  })
})

describe('a server without a GPU', () => {
  const none = { VK_DRIVER_FILES: '/nowhere', VK_ICD_FILENAMES: '/nowhere' }

  it('lays out on the CPU, and nothing that a driver prints is seen', async () => {
    const program = start(['--gpu', 'cpu'], none)
    const url = await program.url()
    expect(program.stdout).toContain('● CPU, as --gpu cpu asks\n')
    const { pid } = await watchAnswer(url)
    expect((await report(url)).facts).toMatchObject({ backend: 'cpu', adapter: null })
    program.child.kill('SIGTERM')
    expect(await program.exited).toBe(0)
    expect(isRunning(pid)).toBe(false)
    expect(program.stderr).toBe('')
  })

  // Elsewhere the system's own adapter does not go away for a variable.
  it.skipIf(process.platform !== 'linux')('says so, made so on Linux', async () => {
    const program = start([], none)
    await program.url()
    expect(program.stdout).toContain('● CPU: no GPU adapter on this machine\n')
    expect(program.stdout + program.stderr).not.toMatch(/Vulkan|vkCreate|Warning/)
  })

  it.skipIf(process.platform !== 'linux')(
    'does not start if one is asked for, made so on Linux',
    async () => {
      const program = start(['--gpu', 'webgpu'], none)
      expect(await program.exited).toBe(1)
      expect(program.stdout).not.toContain('Ctrl-C')
      expect(program.stderr).toBe(
        "tokenscope: --gpu webgpu cannot be had: no GPU adapter on this machine. Install the GPU's driver (on Linux one with Vulkan), or use --gpu auto.\n",
      )
    },
  )

  it('does not start if shaders cannot be written where they are to be', async () => {
    const dump = join(folder, 'neither', 'nor')
    const program = start(['--gpu', 'cpu', '--dump-wgsl', dump])
    expect(await program.exited).toBe(1)
    expect(program.stderr).toMatch(/^tokenscope: --dump-wgsl .*nor cannot be written to: ENOENT.*\n$/)
    expect(existsSync(join(folder, 'neither'))).toBe(false)
  })
})
