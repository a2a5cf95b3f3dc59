import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TokenEntry } from '../../../events/generation.ts'
import { received, send } from '../../support/app.ts'
import { CHAT, Demo } from '../../support/demo.ts'
import { Program } from '../../support/program.ts'
import { between, randomFrom } from '../../support/random.ts'
import { integrityOf, list, RecordsAudit, tokensOf, toldOf } from '../../support/records-audit.ts'
import { rounds } from '../../support/rounds.ts'
import { Spectator } from '../../support/spectator.ts'

/** What a kill may lose at most. */
const LOST_MS = 1000
const APPS = 4
/** The answers of each app: short ones that end, and long ones that are in the middle of it. */
const ANSWERS = ['tokens=3,rate=300', 'tokens=40,rate=200', 'tokens=100000,rate=150', 'tokens=12,rate=60']

describe('a server that is killed while it streams', () => {
  const demo = new Demo()
  let data = ''

  beforeAll(async () => {
    await demo.start()
    data = mkdtempSync(join(tmpdir(), 'tokenscope-test-'))
  })
  afterAll(async () => {
    await demo.stop()
    rmSync(data, { recursive: true, force: true })
  })

  const start = () =>
    new Program(['--upstream', `${demo.url},max=50`, '--port', '0', '--data', data, '--gpu', 'cpu'], {
      env: { TOKENSCOPE_RETENTION: 'off' },
    })

  test(
    'has lost nothing that was acknowledged, at most the last second of the rest, and the records are whole',
    async () => {
      const random = randomFrom(20_261_121)
      const audit = new RecordsAudit()
      let acknowledged = 0
      let ended = 0
      let seen: TokenEntry[] = []
      let killedAt = 0
      for (let round = 0; round <= rounds(200); round++) {
        const program = start()
        try {
          const url = await program.url()
          expect(await audit.faults(url), `after ${round} rounds`).toEqual([])
          acknowledged += audit.generations
          ended += audit.ended
          audit.clear()
          expect(await lostOf(url, seen, killedAt), `after ${round} rounds`).toEqual([])
          expect((await list(url)).filter(({ ended_at }) => ended_at === null)).toEqual([])
          if (round === rounds(200)) break
          const viewer = await Spectator.watch(url)
          const apps = stream(url)
          const until = performance.now() + between(random, 200, 1500)
          while (performance.now() < until) {
            await audit.ask(url)
            await sleep(between(random, 0, 120))
          }
          killedAt = Date.now() / 1000
          await program.kill()
          seen = viewer.tokens
          viewer.close()
          apps.stop()
          await apps.over
        } finally {
          await program.kill()
        }
        expect(integrityOf(data), `in round ${round}`).toBe('ok')
      }
      expect(acknowledged).toBeGreaterThan(rounds(200) * APPS)
      expect(ended).toBeGreaterThan(rounds(200))
    },
    rounds(200) * 10_000 + 60_000,
  )

  /** Apps that ask for one answer after the other. */
  function stream(url: string) {
    let stopped = false
    const app = async (nth: number) => {
      for (let i = nth; !stopped; i++) {
        try {
          const headers = {
            'Content-Type': 'application/json',
            'X-Demo': ANSWERS[i % ANSWERS.length] as string,
          }
          await received(await send(url, { headers, body: CHAT }))
        } catch {
          return
        }
      }
    }
    const over = Promise.all(Array.from({ length: APPS }, (_, nth) => app(nth)))
    return {
      over,
      stop: () => {
        stopped = true
      },
    }
  }
})

/** Tokens that a viewer had a second or longer before the kill, and that are not recorded as it had them. */
async function lostOf(url: string, seen: readonly TokenEntry[], killedAt: number): Promise<string[]> {
  const due = seen.filter(({ timestamp }) => timestamp < killedAt - LOST_MS / 1000)
  const lost: string[] = []
  for (const generation of new Set(due.map(token => token.generation))) {
    const recorded = new Map((await tokensOf(url, generation)).map(token => [token.index, token]))
    for (const token of due.filter(one => one.generation === generation)) {
      const found = recorded.get(token.index)
      const same = found !== undefined && JSON.stringify(toldOf(found)) === JSON.stringify(toldOf(token))
      if (!same) lost.push(`${generation}:${token.index}`)
    }
  }
  return lost
}
