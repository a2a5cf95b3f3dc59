/**
 * A process that records into the folder it is given until it is killed: four generations at a time. It prints a
 * line for each that has ended and was seen as recorded, `<id> <tokens>`, and `ready` once it records.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { createMetrics } from '../../health/metrics.ts'
import { Store } from '../../store/store.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'

const folder = process.argv[2] as string
const retention = { ageMs: null, bytes: null }
const store = await Store.open({ folder, record: 'full', retention, meter: createMetrics(), say: () => {} })
const log = new TokenLog({ place: mapPosition, ...store.resumption })
store.follow(log)
console.log('ready')

async function run(lane: number): Promise<never> {
  for (let n = 0; ; n++) {
    const id = `${log.epoch}-${lane}-${n}`
    const tokens = 1 + ((n * 37 + lane * 11) % 90)
    const body = Buffer.from(JSON.stringify({ prompt: id }))
    const startedAt = performance.now()
    const request = {
      method: 'POST',
      target: '/v1/completions',
      headers: [],
      body,
      correlationId: null,
      startedAt,
    }
    const tape = store.tapes.open({ ...request, generations: () => [id] })
    log.append(stateEvent(id, 'generating'), 0)
    for (let i = 0; i < tokens; i++) {
      log.append(tokenEvent(id, i, ` ${id}/${i}`), 0)
      tape?.bytes(Buffer.from(`data: ${i}\n\n`), performance.now())
      if (i % 8 === lane) await sleep(1)
    }
    log.append(stateEvent(id, 'done'), 0)
    tape?.end('complete')
    // It is in the tables by the time that a reader sees it.
    const seen = await store.records.get(id)
    if (seen.state === 'done') console.log(`${id} ${seen.tokens}`)
  }
}

await Promise.all([0, 1, 2, 3].map(run))
