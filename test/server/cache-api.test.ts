import { expect, test } from 'vitest'
import { CHAT } from '../support/demo.ts'
import { useStage } from '../support/stage.ts'

const stage = useStage({}, { cache: true })

async function cache(method = 'GET') {
  const answer = await fetch(`${stage.url}/scope/v1/cache`, { method })
  return { status: answer.status, body: await answer.json() }
}

test('tells what it holds and how often that helped, and is emptied', async () => {
  const limits = {
    ...{ enabled: true, max_entries: 1000, max_bytes: 64 * 1024 * 1024 },
    ...{ max_entry_bytes: 8 * 1024 * 1024, ttl_seconds: 300 },
  }
  expect(await cache()).toEqual({
    status: 200,
    body: {
      success: true,
      data: { ...limits, entries: 0, bytes: 0, hits: 0, misses: 0, hit_rate: null },
      metadata: {},
    },
  })
  const bodies: string[] = []
  for (let i = 0; i < 4; i++) {
    const answer = await fetch(`${stage.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(CHAT),
    })
    bodies.push(await answer.text())
  }
  expect(new Set(bodies).size).toBe(1)
  const { data } = (await cache()).body
  expect(data).toEqual({
    ...limits,
    entries: 1,
    bytes: expect.any(Number),
    hits: 3,
    misses: 1,
    hit_rate: 0.75,
  })
  expect(data.bytes).toBeGreaterThan(bodies[0]?.length as number)

  expect(await cache('DELETE')).toEqual({
    status: 200,
    body: { success: true, data: { removed: 1 }, metadata: {} },
  })
  expect((await cache()).body.data).toEqual({ ...data, entries: 0, bytes: 0 })
  expect((await cache('DELETE')).body.data).toEqual({ removed: 0 })
})

test('has no other method', async () => {
  expect(await cache('PUT')).toMatchObject({
    status: 405,
    body: { success: false, error_code: 'METHOD_NOT_ALLOWED' },
  })
})
