import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GenerationDetail } from '../../../store/recording.ts'
import { received, send } from '../../support/app.ts'
import { componentOf } from '../../support/component-report.ts'
import { CHAT, Demo } from '../../support/demo.ts'
import { Program } from '../../support/program.ts'
import { integrityOf, tokensOf, toldOf } from '../../support/records-audit.ts'
import { SmallDisk } from '../../support/small-disk.ts'
import { Spectator } from '../../support/spectator.ts'

const possible = SmallDisk.isPossible

describe.skipIf(!possible)(
  `a disk that becomes full${possible ? '' : ' (this process may not mount a small one)'}`,
  () => {
    const demo = new Demo()
    let disk: SmallDisk
    let program: Program
    let url = ''

    beforeAll(async () => {
      await demo.start()
      disk = SmallDisk.mount(24)
      const flags = ['--upstream', `${demo.url},max=20`, '--port', '0', '--data', disk.path, '--gpu', 'cpu']
      program = new Program(flags)
      url = await program.url()
    })
    afterAll(async () => {
      await program.kill()
      disk.unmount()
      await demo.stop()
    })

    test('stops the recording loudly, not the streaming; with room again all is recorded', async () => {
      const viewer = await Spectator.watch(url)
      const headers = { 'Content-Type': 'application/json', 'X-Demo': 'tokens=400,rate=200' }
      const answering = send(url, { headers, body: CHAT }).then(received)
      await viewer.until(() => viewer.tokens.length > 20)
      disk.fill()
      const component = await until(async () => {
        const one = await componentOf(url, 'records')
        return one.status === 'degraded' ? one : null
      })
      expect(component.detail).toMatch(/disk is full/)
      expect((await fetch(`${url}/readyz`)).status).toBe(200)
      expect(program.stderr).toMatch(/disk is full/)

      const { complete } = await answering
      expect(complete).toBe(true)
      expect((await viewer.end()).state).toBe('done')
      // Others are served as well.
      const other = await received(
        await send(url, { headers: { ...headers, 'X-Demo': 'tokens=5' }, body: CHAT }),
      )
      expect(other.complete).toBe(true)
      await viewer.end(1)

      disk.free()
      await until(async () => ((await componentOf(url, 'records')).status === 'ok' ? true : null))
      expect(program.stderr).toMatch(/record(s|ing) .*again/i)
      for (const generation of viewer.generations) {
        const seen = viewer.tokens.filter(token => token.generation === generation).map(toldOf)
        expect((await tokensOf(url, generation)).map(toldOf)).toEqual(seen)
        const detail = await detailOf(url, generation)
        expect(detail).toMatchObject({ state: 'done', complete: true, tokens: seen.length })
      }
      viewer.close()
      program.child.kill('SIGTERM')
      expect(await program.exited).toBe(0)
      expect(integrityOf(disk.path)).toBe('ok')
    }, 60_000)
  },
)

async function detailOf(url: string, generation: string): Promise<GenerationDetail> {
  const answer = await fetch(`${url}/scope/v1/generations/${generation}`)
  return ((await answer.json()) as { data: GenerationDetail }).data
}

/** Asks until there is an answer. */
async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    await sleep(20)
  }
}
