import { PassThrough } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { bannerText } from '../../server/banner.ts'
import { Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

test('of several upstreams each has a line that says how it is', async () => {
  const [one, gone] = [await new Demo({ kind: 'llamacpp' }).start(), await new Demo().start()]
  stops.push(() => one.stop())
  await gone.stop()
  const scope = await startScope({ upstreams: [one.url, gone.url] })
  stops.push(() => scope.stop())
  const address = gone.url.replace('http://', '')
  const lines = scope.banner.split('\n').map(line => line.trimEnd())
  const at = lines.findIndex(line => line.startsWith('  upstream'))
  expect(lines.slice(at, at + 2)).toEqual([
    `  upstream  ● llama.cpp at ${one.url} answers`,
    `            ● ${gone.url} is not answering (connect ECONNREFUSED ${address})`,
  ])
  expect(lines.some(line => /[0-9] of [0-9] upstreams/.test(line))).toBe(false)
})

test('a sentence has a line, whatever says it', () => {
  const components = [
    { name: 'upstream', status: 'degraded', detail: 'LM Studio is not answering. Start its server.' },
    { name: 'bridge', status: 'ok', detail: 'is not shown' },
    { name: 'compositor', status: 'ok', detail: 'CPU' },
  ] as const
  const facts = { version: '1.2.3', url: 'http://127.0.0.1:8787', data: '/d', components }
  const lines = bannerText(facts, new PassThrough()).split('\n')
  expect(lines.slice(5, 9)).toEqual([
    '  upstream  ● LM Studio is not answering.',
    '              Start its server.',
    '  gpu       ● CPU',
    '  data      /d',
  ])
})

test.each([
  [{ record: 'full', bytes: 1_460_000 }, 'everything is recorded; 1.46 MB on disk'],
  [{ record: 'meta', bytes: 90_000 }, 'numbers are recorded, words are not; 90.0 kB on disk'],
  [{ record: 'off', bytes: 90_000 }, 'nothing is recorded; 90.0 kB on disk from before'],
])('who starts it is told what is recorded: %j', (facts, words) => {
  const components = [{ name: 'records', status: 'ok', detail: '', facts }] as const
  const banner = bannerText({ version: '1', url: 'http://h', data: '/d', components }, new PassThrough())
  expect(banner.split('\n').slice(5, 7)).toEqual([`  records   ● ${words}`, '  data      /d'])
})
