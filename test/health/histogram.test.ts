import fc from 'fast-check'
import { Histogram as PromHistogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { METRICS } from '../../events/metrics.ts'
import { Histogram } from '../../health/histogram.ts'

const NAME = 'tokenscope_layout_seconds'
const { help, labels: labelNames, buckets } = METRICS[NAME]

/** What a registry writes for both kinds of histogram after the same observations. */
async function texts(observed: readonly [layout: string, value: number][]): Promise<[string, string]> {
  const [one, other] = [new Registry(), new Registry()]
  const ours = new Histogram(NAME, help, labelNames, buckets)
  one.registerMetric(ours as unknown as PromHistogram)
  const theirs = new PromHistogram({
    name: NAME,
    help,
    labelNames,
    buckets: [...buckets],
    registers: [other],
  })
  for (const [layout, value] of observed) {
    ours.observe(ours.cell({ backend: 'cpu', layout }), value)
    theirs.observe({ backend: 'cpu', layout }, value)
  }
  return [await one.metrics(), await other.metrics()]
}

test('is written as prom-client writes its own', async () => {
  const layout = fc.constantFrom('map', 'flow', '"\n')
  const value = fc.oneof(fc.double({ noNaN: true, min: -1, max: 3 }), fc.constantFrom(...buckets))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(layout, value)), async observed => {
      const [ours, theirs] = await texts(observed)
      expect(ours).toBe(theirs)
    }),
  )
})

test('without labels is there before anything was observed', async () => {
  const registry = new Registry()
  registry.registerMetric(new Histogram('h_seconds', 'h', [], [1]) as unknown as PromHistogram)
  expect(await registry.metrics()).toContain(
    'h_seconds_bucket{le="+Inf"} 0\nh_seconds_sum 0\nh_seconds_count 0',
  )
})

test('does not count what is no number', async () => {
  const histogram = new Histogram('h_seconds', 'h', [], [1])
  const cell = histogram.cell({})
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    histogram.observe(cell, value)
  }
  expect(cell).toMatchObject({ count: 0, sum: 0, counts: [0, 0] })
})
