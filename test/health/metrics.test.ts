import { expect, test } from 'vitest'
import { METRICS } from '../../events/metrics.ts'
import { createMetrics } from '../../health/metrics.ts'

test('every metric of the table is there, with its type', async () => {
  const text = await createMetrics().text()
  for (const [name, { type }] of Object.entries(METRICS)) expect(text).toContain(`# TYPE ${name} ${type}\n`)
})

test('counts add up over labels and over scrapes', async () => {
  const metrics = createMetrics()
  const labels = { upstream: 'u', model: 'm', kind: 'message' }
  metrics.count('tokenscope_tokens_total', labels)
  metrics.count('tokenscope_tokens_total', { ...labels, kind: 'reasoning' }, 5)
  metrics.count('tokenscope_tokens_total', { kind: 'message', model: 'm', upstream: 'u' }, 2)
  expect(await metrics.text()).toContain('tokenscope_tokens_total{upstream="u",model="m",kind="message"} 3\n')
  expect(await metrics.text()).toContain('tokenscope_tokens_total{upstream="u",model="m",kind="message"} 3\n')
  metrics.count('tokenscope_tokens_total', labels)
  const text = await metrics.text()
  expect(text).toContain('tokenscope_tokens_total{upstream="u",model="m",kind="message"} 4\n')
  expect(text).toContain('tokenscope_tokens_total{upstream="u",model="m",kind="reasoning"} 5\n')
})

test('a label’s text cannot be taken for the border between two', async () => {
  const metrics = createMetrics()
  metrics.count('tokenscope_tokens_total', { upstream: 'a', model: 'b"\n', kind: 'c' })
  metrics.count('tokenscope_tokens_total', { upstream: 'ab', model: '"\n', kind: 'c' })
  const text = await metrics.text()
  expect(text).toContain('{upstream="a",model="b\\"\\n",kind="c"} 1\n')
  expect(text).toContain('{upstream="ab",model="\\"\\n",kind="c"} 1\n')
})

test('a histogram puts an observation in its bucket', async () => {
  const metrics = createMetrics()
  metrics.observe('tokenscope_layout_seconds', { backend: 'cpu', layout: 'map' }, 0.0004)
  const text = await metrics.text()
  expect(text).toContain('tokenscope_layout_seconds_bucket{le="0.00025",backend="cpu",layout="map"} 0\n')
  expect(text).toContain('tokenscope_layout_seconds_bucket{le="0.0005",backend="cpu",layout="map"} 1\n')
})

test('two servers in one process do not share their metrics', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.set('tokenscope_broadcast_clients', {}, 7)
  expect(await one.text()).toContain('tokenscope_broadcast_clients 7\n')
  expect(await other.text()).toContain('tokenscope_broadcast_clients 0\n')
})

test('a handle adds to the same counter and the same histogram as its name and labels do', async () => {
  const metrics = createMetrics()
  const labels = { upstream: 'u', model: 'm', kind: 'message' }
  const tokens = metrics.handle('tokenscope_tokens_total', labels)
  const gaps = metrics.handle('tokenscope_inter_token_seconds', {})
  tokens(1)
  metrics.count('tokenscope_tokens_total', { ...labels })
  gaps(0.02)
  metrics.observe('tokenscope_inter_token_seconds', {}, 0.02)
  expect(await metrics.text()).toContain('tokenscope_tokens_total{upstream="u",model="m",kind="message"} 2\n')
  tokens(3)
  const text = await metrics.text()
  expect(text).toContain('tokenscope_tokens_total{upstream="u",model="m",kind="message"} 5\n')
  expect(text).toContain('tokenscope_inter_token_seconds_bucket{le="0.01"} 0\n')
  expect(text).toContain('tokenscope_inter_token_seconds_bucket{le="0.025"} 2\n')
  expect(text).toContain('tokenscope_inter_token_seconds_count 2\n')
})
