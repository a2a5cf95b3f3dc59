import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ViewAnswer } from '../../broadcast/protocol/view.ts'
import { BACKENDS, caughtUp, mapped, pidOf, tokensKept, useCompositor } from '../support/composed.ts'
import { noGpu } from '../support/gpu.ts'
import { isRunning, untilGone } from '../support/processes.ts'
import { rounds } from '../support/rounds.ts'
import { soon } from '../support/soon.ts'

const FULL = join(import.meta.dirname, '../support/full-process.ts')
const compose = useCompositor()

afterEach(() => {
  vi.useRealTimers()
})

describe.each(['cpu', 'webgpu'] as const)('the compositor, %s', backend => {
  describe.skipIf(backend === 'webgpu' && noGpu)(`in a process of its own ${noGpu ?? ''}`, () => {
    it('lays out every token where the log put it', async () => {
      const composed = compose({ backend })
      composed.watch('map')
      composed.say('g_a', 300)
      composed.say('g_b', 10)
      await caughtUp(composed)
      composed.say('g_c', 300)
      await caughtUp(composed)
      expect(await mapped(composed)).toBe(tokensKept(composed).size)
      expect(composed.said).toEqual([])
    })

    it('catches up with many batches', async () => {
      const composed = compose({ backend, maxEntries: 100_000 })
      composed.say('g_a', 70_000)
      composed.watch('map')
      await caughtUp(composed)
      expect(await mapped(composed)).toBe(tokensKept(composed).size)
      expect(composed.compositor.report().facts?.tokens).toBe(70_000)
    })

    it('observes each batch, and reports what it has', async () => {
      const composed = compose({ backend })
      composed.watch('map')
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
        dropped: 0,
        bytes: expect.any(Number),
        restarts: 0,
        pid: expect.any(Number),
      })
    })

    it('observes what each layout took by itself', async () => {
      const composed = compose({ backend })
      composed.watch('map', 'flow', 'timeline')
      composed.say('g_a', 3000)
      await caughtUp(composed)
      const { observed } = composed.meter
      for (const layout of ['map', 'flow', 'timeline']) {
        expect(observed.some(({ labels }) => labels.layout === layout)).toBe(true)
      }
      // Not the whole step for each.
      expect(new Set(observed.map(({ value }) => value)).size).toBeGreaterThan(observed.length / 3)
    })

    it('leaves no process when it stops, and does nothing afterwards', async () => {
      const composed = compose({ backend })
      composed.watch('map')
      composed.say('g_a', 3)
      await caughtUp(composed)
      const pid = pidOf(composed) as number
      expect(isRunning(pid)).toBe(true)
      await composed.compositor.stop()
      expect(isRunning(pid)).toBe(false)
      composed.watch('map')
      composed.say('g_b', 3)
      await turn()
      expect(pidOf(composed)).toBeNull()
      expect(composed.said).toEqual([])
    })

    it('can be stopped before its process has begun, and while that is at work', async () => {
      for (const begun of [false, true]) {
        const composed = compose({ backend })
        composed.say('g_a', 40_000)
        composed.watch('map')
        const pid = pidOf(composed) as number
        while (begun && composed.compositor.laidOutTo === 0) await turn()
        await composed.compositor.stop()
        expect(isRunning(pid)).toBe(false)
        expect(composed.said).toEqual([])
      }
    })

    it('has everything again, however often its process is killed at work', async () => {
      const composed = compose({ backend, maxEntries: 20_000, maxEnds: Number.POSITIVE_INFINITY })
      const { compositor, log, meter } = composed
      composed.say('g_first', 5000)
      composed.watch('map')
      const count = rounds(200)
      let asked: Promise<ViewAnswer> | null = null
      for (let round = 0; round < count; round++) {
        // Killed as it starts, with batches on their way, and after some of them.
        const seen = meter.observed.length
        if (round % 3 === 1) await meter.until(({ observed }) => observed.length > seen)
        if (round % 3 === 2) expect((await asked)?.count).toBeGreaterThan(0)
        composed.say(`g_${round}`, 2000)
        // All of the map: what the first tokens' part of it held, the log lets go of.
        if (round % 3 === 1)
          asked = compositor.view({ layout: 'map', x: 0, y: 0, w: 1024, h: 1024, zoom: 1 / 64, have: [] })
        for (let i = 0; i < round % 5; i++) await turn()
        const pid = pidOf(composed)
        if (pid !== null) process.kill(pid, 'SIGKILL')
        composed.say(`h_${round}`, 10)
        if (pid !== null) await untilGone(pid)
        await vi.waitFor(() => expect([pid, null]).not.toContain(pidOf(composed)), {
          interval: 1,
          timeout: 20_000,
        })
      }
      await caughtUp(composed)
      expect(await mapped(composed)).toBeGreaterThanOrEqual(tokensKept(composed).size)
      expect(log.tail).toBeGreaterThan(1)
      expect(compositor.report()).toMatchObject({ status: 'ok', facts: { backend, restarts: count } })
    })
  })
})

describe('the compositor', () => {
  it('starts no process and does nothing while nobody watches', async () => {
    const composed = compose()
    composed.say('g_a', 10)
    await turn()
    expect(pidOf(composed)).toBeNull()
    expect(composed.meter.observed).toEqual([])
    expect(composed.compositor.report()).toMatchObject({ status: 'ok', facts: { layouts: [], tokens: 0 } })
  })

  it('catches up with what came meanwhile once somebody watches again, in the same process', async () => {
    const composed = compose()
    const { compositor, say, watch } = composed
    watch('map')
    say('g_a', 5)
    await caughtUp(composed)
    const pid = pidOf(composed)
    watch()
    say('g_b', 5)
    await turn()
    expect(compositor.laidOutTo).toBe(6)
    watch('map')
    await caughtUp(composed)
    expect(await mapped(composed)).toBe(tokensKept(composed).size)
    expect(pidOf(composed)).toBe(pid)
  })

  it('does not send what was about to be sent when the last watcher left', async () => {
    const composed = compose()
    const { compositor, say, watch, meter } = composed
    watch('map')
    say('g_a', 5)
    await caughtUp(composed)
    const steps = meter.observed.length
    say('g_b', 5)
    watch()
    await turn()
    expect([compositor.laidOutTo, meter.observed.length]).toEqual([6, steps])
  })

  it('takes up where the log begins when it was away for too long', async () => {
    const composed = compose({ maxEntries: 100 })
    composed.say('g_a', 250)
    composed.watch('map')
    await caughtUp(composed)
    expect(await mapped(composed)).toBe(tokensKept(composed).size)
    expect(tokensKept(composed).size).toBe(100)
  })

  it('starts no process for nobody after one has ended', async () => {
    const composed = compose()
    const { compositor, say, watch } = composed
    watch('map')
    say('g_a', 5)
    await caughtUp(composed)
    watch()
    process.kill(pidOf(composed) as number, 'SIGKILL')
    await soon(() => expect(compositor.report().facts?.restarts).toBe(1))
    expect(pidOf(composed)).toBeNull()
    expect(compositor.report().detail).toBe(
      'CPU, as the test asks. The process that lays out was ended by SIGKILL and is started again for the next viewer.',
    )
    watch('map')
    await caughtUp(composed)
    expect(await mapped(composed)).toBe(5)
    expect(composed.said).toEqual(['warn: compositor: its process was ended by SIGKILL'])
  })

  it('ends a process that does not answer, and starts another', async () => {
    const composed = compose({ process: { answerMs: 60_000 } })
    composed.watch('map')
    composed.say('g_a', 5)
    await caughtUp(composed)
    const pid = pidOf(composed) as number
    process.kill(pid, 'SIGSTOP')
    // The minute passes for this one alone: the next has a real one, however slow this machine is.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    composed.say('g_b', 5)
    await vi.advanceTimersByTimeAsync(61_000)
    vi.useRealTimers()
    await caughtUp(composed)
    expect(isRunning(pid)).toBe(false)
    expect(await mapped(composed)).toBe(tokensKept(composed).size)
    expect(composed.said).toEqual(['warn: compositor: its process did not answer for 60 s'])
  })

  it('has what its processes compile kept for the next one, and goes on without the folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenscope-compiled-'))
    const kept = join(folder, 'kept')
    mkdirSync(kept)
    // What tests start keeps it elsewhere, else.
    vi.stubEnv('NODE_COMPILE_CACHE', undefined)
    const composed = compose({ process: { compileCache: kept } })
    composed.watch('map')
    composed.say('g_a', 5)
    await caughtUp(composed)
    // Killed, it has no time to keep anything any more.
    process.kill(pidOf(composed) as number, 'SIGKILL')
    await caughtUp(composed)
    expect(readdirSync(kept, { recursive: true }).length).toBeGreaterThan(10)
    rmSync(folder, { recursive: true })
    process.kill(pidOf(composed) as number, 'SIGKILL')
    composed.say('g_b', 5)
    await caughtUp(composed)
    expect(await mapped(composed)).toBe(10)
    await composed.compositor.stop()
    expect(existsSync(folder)).toBe(false)
  })

  it('ends a process that does not hear that it should stop', async () => {
    const composed = compose({ standIn: 'silent', process: { stopMs: 100 } })
    composed.watch('map')
    const pid = pidOf(composed) as number
    await composed.compositor.stop()
    expect(isRunning(pid)).toBe(false)
  })

  it('ends a process that let go of its channel', async () => {
    const composed = compose({ standIn: 'aloof', process: { stopMs: 100 } })
    const { said } = composed
    composed.watch('map')
    const pid = pidOf(composed) as number
    await untilGone(pid)
    await soon(() => expect(said[0]).toBe('warn: compositor: its process was ended by SIGKILL'))
  })

  it('ends a process that failed and cannot end', async () => {
    const composed = compose({ standIn: 'undead', process: { stopMs: 100 } })
    const { said } = composed
    composed.watch('map')
    composed.say('g_a', 5)
    await untilGone(pidOf(composed) as number)
    await soon(() => expect(said[0]).toBe('error: compositor: its process failed: the end of a stand-in'))
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
    const { compositor, said, watch } = compose({ standIn: 'crash' })
    watch('map')
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
    const { compositor, said, say, watch } = composed
    say('g_a', 5)
    watch('map')
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
      composed.watch('map')
      composed.say('g_a', 5)
      await caughtUp(composed)
      composed.say('g_b', 5)
      await caughtUp(composed)
      expect(await mapped(composed)).toBe(tokensKept(composed).size)
      expect(composed.said).toEqual([
        'error: compositor: its process failed: the GPU device was lost: device was destroyed',
      ])
      expect(composed.compositor.report()).toMatchObject({ status: 'ok', facts: { restarts: 1 } })
    })

    it('lays out on the CPU after three kills, and stays degraded', async () => {
      const composed = compose({ backend: 'webgpu' })
      const { compositor, meter } = composed
      composed.watch('map')
      for (let kill = 0; kill < 3; kill++) {
        composed.say(`g_${kill}`, 100)
        await caughtUp(composed)
        expect(compositor.report()).toMatchObject({ status: 'ok', facts: { backend: 'webgpu' } })
        process.kill(pidOf(composed) as number, 'SIGKILL')
        await soon(() => expect(compositor.report().facts?.restarts).toBe(kill + 1))
      }
      composed.say('g_3', 100)
      await caughtUp(composed)
      expect(await mapped(composed)).toBe(tokensKept(composed).size)
      expect(meter.observed.at(-1)?.labels.backend).toBe('cpu')
      expect(compositor.report().status).toBe('degraded')
      expect(compositor.report().detail).toMatch(
        /^CPU, since SwiftShader failed again and again: .* SIGKILL; 400 tokens, .*tries the GPU again\.$/,
      )
    })
  })
})
