import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import type { DemoServer } from '../../bridge/demo/index.ts'
import { UpstreamSet } from '../../bridge/upstream-set.ts'
import { parseUpstream } from '../../events/upstream-spec.ts'
import { Demo } from '../support/demo.ts'
import { RecordingMeter } from '../support/hub-meter.ts'

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('a stop while the demo model is about to stand in leaves nobody who watches it', async () => {
  const demo = new Demo()
  const begun = Promise.withResolvers<void>()
  const mayStart = Promise.withResolvers<void>()
  const slow = {
    start: async () => {
      begun.resolve()
      await mayStart.promise
      return demo.server.start()
    },
    stop: () => demo.server.stop(),
  } as DemoServer
  const meter = new RecordingMeter()
  const set = new UpstreamSet({
    upstreams: [parseUpstream(`http://127.0.0.1:${await freePort()}`, {})],
    named: false,
    createDemo: () => slow,
    meter,
  })
  const starting = set.start()
  await begun.promise
  const stopping = set.stop()
  mayStart.resolve()
  await Promise.all([starting, stopping])
  // Whoever watches an upstream says first of all that it is not up yet.
  expect(meter.gauges.filter(({ name }) => name === 'tokenscope_upstream_up')).not.toContainEqual(
    expect.objectContaining({ labels: { upstream: 'demo' } }),
  )
  expect(set.standingIn).toBe(false)
})
