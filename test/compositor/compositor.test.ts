import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TokenLog } from '../../broadcast/token-log.ts'
import type { Backend, BackendName } from '../../compositor/adapter.ts'
import { Compositor, type CompositorOptions } from '../../compositor/compositor.ts'
import { mapPlace, mapPosition } from '../../compositor/map.ts'
import { noGpu } from '../support/gpu.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { RecordingMeter } from '../support/hub-meter.ts'
import { isRunning, untilGone } from '../support/processes.ts'
import { rounds } from '../support/rounds.ts'

const STAND_IN = join(import.meta.dirname, '../support/stand-in-process.ts')
const FULL = join(import.meta.dirname, '../support/full-process.ts')
const BACKENDS: Record<BackendName, Backend> = {
  cpu: { name: 'cpu', adapter: null, reason: 'as the test asks', detail: 'CPU, as the test asks' },
  webgpu: { name: 'webgpu', adapter: 'SwiftShader', reason: 'as the test asks', detail: 'SwiftShader' },
}
const started: Compositor[] = []

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const compositor of started.splice(0)) await compositor.stop()
})

interface Options extends Partial<Omit<CompositorOptions, 'backend'>> {
  backend?: BackendName
  maxEntries?: number
  standIn?: string
}

function compose({ backend = 'cpu', maxEntries, standIn, ...options }: Options = {}) {
  const log = new TokenLog({ place: mapPosition, ...(maxEntries === undefined ? {} : { maxEntries }) })
  const meter = new RecordingMeter()
  const said: string[] = []
  vi.stubEnv('STAND_IN', standIn)
  const compositor = new Compositor({
    log,
    meter,
    backend: BACKENDS[backend],
    dump: null,
    say: (level, text) => level !== 'debug' && said.push(`${level}: ${text}`),
    ...options,
    ...(standIn === undefined ? {} : { process: { entry: STAND_IN, ...options.process } }),
  })
  compositor.start()
  started.push(compositor)
  const say = (generation: string, count: number) => {
    log.append(stateEvent(generation), 0)
    for (let index = 0; index < count; index++) log.append(tokenEvent(generation, index), 0)
  }
  return { log, meter, said, compositor, say }
}

type Composed = ReturnType<typeof compose>

/** Waits until the process has laid out all; the log's last entry must be a token. */
function caughtUp({ compositor, log, meter }: Composed): Promise<void> {
  return meter.until(() => compositor.laidOutTo === log.head)
}

/** Seqs of the tokens that the process has, each of which lies where the log put it. */
async function laidOut({ compositor, log }: Composed): Promise<number[]> {
  const { seqs, places } = await compositor.places(1, log.head)
  const cells = [...seqs].map(seq => log.cell(seq))
  expect([...places]).toEqual(cells.map(cell => mapPlace(cell as number)))
  return [...seqs]
}

function tokensKept({ log }: Composed): number[] {
  return Array.from({ length: log.head - log.tail + 1 }, (_, i) => log.tail + i).filter(
    seq => log.cell(seq) !== null,
  )
}

function pidOf(compositor: Compositor): number | null {
  return compositor.report().facts?.pid as number | null
}

describe.each(['cpu', 'webgpu'] as const)('the compositor, %s', backend => {
  describe.skipIf(backend === 'webgpu' && noGpu)(`in a process of its own ${noGpu ?? ''}`, () => {
    it('lays out every token where the log put it', async () => {
      const composed = compose({ backend })
      composed.compositor.watch(true)
      composed.say('g_a', 300)
      composed.say('g_b', 10)
      await caughtUp(composed)
      composed.say('g_c', 300)
      await caughtUp(composed)
      expect(await laidOut(composed)).toEqual(tokensKept(composed))
      expect(composed.said).toEqual([])
    })

    it('catches up with more than a batch and a page', async () => {
      const composed = compose({ backend, maxEntries: 100_000 })
      composed.say('g_a', 70_000)
      composed.compositor.watch(true)
      await caughtUp(composed)
      expect(await laidOut(composed)).toEqual(tokensKept(composed))
      expect(composed.compositor.report().facts?.tokens).toBe(70_000)
    })

    it('observes each batch, and reports what it has', async () => {
      const composed = compose({ backend })
      composed.compositor.watch(true)
      composed.say('g_a', 3)
      await caughtUp(composed)
      const { meter, compositor } = composed
      expect(new Set(meter.observed.map(({ name }) => name))).toEqual(new Set(['tokenscope_layout_seconds']))
      expect(
        meter.observed.every(({ labels }) => labels.backend === backend && labels.layout === 'map'),
      ).toBe(true)
      expect(compositor.report()).toMatchObject({ name: 'compositor', status: 'ok' })
      const start = BACKENDS[backend].detail
      expect(compositor.report().detail).toMatch(
        new RegExp(`^${start}; 3 tokens, last step \\d+\\.\\d{3} ms$`),
      )
      const { adapter, reason } = BACKENDS[backend]
      expect(compositor.report().facts).toEqual({
        backend,
        adapter,
        reason,
        layouts: ['map'],
        tokens: 3,
        restarts: 0,
        pid: expect.any(Number),
      })
    })

    it('leaves no process when it stops, and does nothing afterwards', async () => {
      const composed = compose({ backend })
      composed.compositor.watch(true)
      composed.say('g_a', 3)
      await caughtUp(composed)
      const pid = pidOf(composed.compositor) as number
      expect(isRunning(pid)).toBe(true)
      await composed.compositor.stop()
      expect(isRunning(pid)).toBe(false)
      composed.compositor.watch(true)
      composed.say('g_b', 3)
      await turn()
      expect(pidOf(composed.compositor)).toBeNull()
      expect(composed.said).toEqual([])
    })

    it('can be stopped before its process has begun, and while that is at work', async () => {
      for (const begun of [false, true]) {
        const composed = compose({ backend })
        composed.say('g_a', 40_000)
        composed.compositor.watch(true)
        const pid = pidOf(composed.compositor) as number
        if (begun) await composed.meter.until(({ observed }) => observed.length > 0)
        await composed.compositor.stop()
        expect(isRunning(pid)).toBe(false)
        expect(composed.said).toEqual([])
      }
    })

    it('has everything again, however often its process is killed at work', async () => {
      const composed = compose({ backend, maxEntries: 20_000, maxEnds: Number.POSITIVE_INFINITY })
      const { compositor, log, meter } = composed
      composed.say('g_first', 5000)
      compositor.watch(true)
      const count = rounds(200)
      for (let round = 0; round < count; round++) {
        // Killed as it starts, with batches on their way, and after some of them.
        const seen = meter.observed.length
        if (round % 3 > 0) await meter.until(({ observed }) => observed.length > seen)
        composed.say(`g_${round}`, 2000)
        for (let i = 0; i < round % 5; i++) await turn()
        const pid = pidOf(compositor)
        if (pid !== null) process.kill(pid, 'SIGKILL')
        composed.say(`h_${round}`, 10)
        if (pid !== null) await untilGone(pid)
        await vi.waitFor(() => expect([pid, null]).not.toContain(pidOf(compositor)), {
          interval: 1,
          timeout: 20_000,
        })
      }
      await caughtUp(composed)
      expect(await laidOut(composed)).toEqual(tokensKept(composed))
      expect(log.tail).toBeGreaterThan(1)
      expect(compositor.report()).toMatchObject({ status: 'ok', facts: { backend, restarts: count } })
    })
  })
})

describe('the compositor', () => {
  it('starts no process and does nothing while nobody watches', async () => {
    const { compositor, meter, say } = compose()
    say('g_a', 10)
    await turn()
    expect(pidOf(compositor)).toBeNull()
    expect(meter.observed).toEqual([])
    await expect(compositor.places(1, 10)).rejects.toThrow('The compositor’s process has not begun.')
  })

  it('catches up with what came meanwhile once somebody watches again, in the same process', async () => {
    const composed = compose()
    const { compositor, say } = composed
    compositor.watch(true)
    say('g_a', 5)
    await caughtUp(composed)
    const pid = pidOf(compositor)
    compositor.watch(false)
    say('g_b', 5)
    await turn()
    expect((await laidOut(composed)).length).toBe(5)
    compositor.watch(true)
    await caughtUp(composed)
    expect(await laidOut(composed)).toEqual(tokensKept(composed))
    expect(pidOf(compositor)).toBe(pid)
  })

  it('does not send what was about to be sent when the last watcher left', async () => {
    const composed = compose()
    const { compositor, say } = composed
    compositor.watch(true)
    say('g_a', 5)
    await caughtUp(composed)
    say('g_b', 5)
    compositor.watch(false)
    await turn()
    expect((await laidOut(composed)).length).toBe(5)
  })

  it('takes up where the log begins when it was away for too long', async () => {
    const composed = compose({ maxEntries: 100 })
    composed.say('g_a', 250)
    composed.compositor.watch(true)
    await caughtUp(composed)
    expect(await laidOut(composed)).toEqual(tokensKept(composed))
    expect(tokensKept(composed).length).toBe(100)
  })

  it('starts no process for nobody after one has ended', async () => {
    const composed = compose()
    const { compositor, say } = composed
    compositor.watch(true)
    say('g_a', 5)
    await caughtUp(composed)
    compositor.watch(false)
    process.kill(pidOf(compositor) as number, 'SIGKILL')
    await vi.waitFor(() => expect(compositor.report().facts?.restarts).toBe(1))
    expect(pidOf(compositor)).toBeNull()
    expect(compositor.report().detail).toBe(
      'CPU, as the test asks. The process that lays out was ended by SIGKILL and is started again for the next viewer.',
    )
    compositor.watch(true)
    await caughtUp(composed)
    expect((await laidOut(composed)).length).toBe(5)
    expect(composed.said).toEqual(['warn: compositor: its process was ended by SIGKILL'])
  })

  it('refuses a question that its process ends over', async () => {
    const composed = compose()
    composed.compositor.watch(true)
    composed.say('g_a', 5)
    await caughtUp(composed)
    const pid = pidOf(composed.compositor) as number
    process.kill(pid, 'SIGSTOP')
    const question = composed.compositor.places(1, 10)
    process.kill(pid, 'SIGKILL')
    await expect(question).rejects.toThrow('The compositor’s process was ended by SIGKILL.')
  })

  it('ends a process that does not answer, and starts another', async () => {
    const composed = compose({ process: { answerMs: 1000 } })
    composed.compositor.watch(true)
    composed.say('g_a', 5)
    await caughtUp(composed)
    const pid = pidOf(composed.compositor) as number
    process.kill(pid, 'SIGSTOP')
    composed.say('g_b', 5)
    await caughtUp(composed)
    expect(isRunning(pid)).toBe(false)
    expect(await laidOut(composed)).toEqual(tokensKept(composed))
    expect(composed.said).toEqual(['warn: compositor: its process did not answer for 1 s'])
  })

  it('ends a process that does not hear that it should stop', async () => {
    const { compositor } = compose({ standIn: 'silent', process: { stopMs: 100 } })
    compositor.watch(true)
    const pid = pidOf(compositor) as number
    await compositor.stop()
    expect(isRunning(pid)).toBe(false)
  })

  it('ends a process that let go of its channel', async () => {
    const { compositor, say, said } = compose({ standIn: 'aloof', process: { stopMs: 100 } })
    compositor.watch(true)
    say('g_a', 5)
    const pid = pidOf(compositor) as number
    await untilGone(pid)
    await vi.waitFor(() => expect(said[0]).toBe('warn: compositor: its process was ended by SIGKILL'))
  })

  it.skipIf(process.platform === 'win32')(
    'lives on where there was no file descriptor for its process',
    async () => {
      const shell = ['-c', 'ulimit -n 100; exec "$0" "$1"', process.execPath, FULL]
      const { stdout } = await promisify(execFile)('sh', shell)
      expect(stdout).toMatch(/^warn: compositor: its process could not be started: .*EMFILE\n1\n$/)
    },
  )

  it('is tried again on the CPU for ever, and says that it is down', async () => {
    const { compositor, said } = compose({ standIn: 'crash' })
    compositor.watch(true)
    await vi.waitFor(() => expect(said.length).toBeGreaterThan(3), { timeout: 20_000, interval: 1 })
    expect(new Set(said)).toEqual(new Set(['warn: compositor: its process ended with code 3']))
    expect(compositor.report()).toMatchObject({
      status: 'degraded',
      detail: 'CPU, as the test asks. The process that lays out ended with code 3 and is started again.',
    })
  })
})

describe('a GPU that fails', () => {
  it('is given up for the CPU after the third time, which is told', async () => {
    const composed = compose({ backend: 'webgpu', standIn: 'fault' })
    const { compositor, said, say } = composed
    say('g_a', 5)
    compositor.watch(true)
    await vi.waitFor(() => expect(said.length).toBe(4), { timeout: 20_000, interval: 1 })
    const why =
      'SwiftShader failed again and again: the process that used it failed: GPU error: a stand-in for one'
    expect(said).toEqual([
      ...Array(3).fill('error: compositor: its process failed: GPU error: a stand-in for one'),
      `error: compositor: on the CPU from now on, since ${why}`,
    ])
    expect(compositor.report()).toMatchObject({
      status: 'degraded',
      detail: `CPU, since ${why}. A restart of Tokenscope tries the GPU again.`,
      facts: { backend: 'cpu', adapter: null, reason: why, restarts: 3 },
    })
  })

  describe.skipIf(noGpu)(`for real ${noGpu ?? ''}`, () => {
    it('is started again when its device is lost, with all that the log keeps', async () => {
      const composed = compose({ backend: 'webgpu', standIn: 'lost', maxEnds: 2 })
      composed.compositor.watch(true)
      composed.say('g_a', 5)
      await caughtUp(composed)
      composed.say('g_b', 5)
      await caughtUp(composed)
      expect(await laidOut(composed)).toEqual(tokensKept(composed))
      expect(composed.said).toEqual([
        'error: compositor: its process failed: the GPU device was lost: device was destroyed',
      ])
      expect(composed.compositor.report()).toMatchObject({ status: 'ok', facts: { restarts: 1 } })
    })

    it('lays out on the CPU after three kills, and stays degraded', async () => {
      const composed = compose({ backend: 'webgpu' })
      const { compositor, meter } = composed
      compositor.watch(true)
      for (let kill = 0; kill < 3; kill++) {
        composed.say(`g_${kill}`, 100)
        await caughtUp(composed)
        expect(compositor.report()).toMatchObject({ status: 'ok', facts: { backend: 'webgpu' } })
        process.kill(pidOf(compositor) as number, 'SIGKILL')
        await vi.waitFor(() => expect(compositor.report().facts?.restarts).toBe(kill + 1))
      }
      composed.say('g_3', 100)
      await caughtUp(composed)
      expect(await laidOut(composed)).toEqual(tokensKept(composed))
      expect(meter.observed.at(-1)?.labels.backend).toBe('cpu')
      expect(compositor.report().status).toBe('degraded')
      expect(compositor.report().detail).toMatch(
        /^CPU, since SwiftShader failed again and again: .* SIGKILL; 400 tokens, .*tries the GPU again\.$/,
      )
    })
  })
})
