import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseJson } from '../../../bridge/demo/request-body.ts'
import { Demo } from '../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

it('reads JSON that is nested, up to a depth that can be written again', () => {
  expect(parseJson(Buffer.from(''))).toBeUndefined()
  expect(parseJson(Buffer.from(nested(1000)))).toBeInstanceOf(Array)
  expect(() => parseJson(Buffer.from(nested(1001)))).toThrow(/nested over 1000 deep/)
  expect(() => parseJson(Buffer.from(`{"a":${'{"a":'.repeat(2000)}`))).toThrow(/nested over 1000 deep/)
})

it('counts no brackets of texts, and takes what stands side by side for flat', () => {
  const text = `\\"${'[{'.repeat(3000)}\\\\`
  expect(parseJson(Buffer.from(JSON.stringify([text])))).toEqual([text])
  expect(parseJson(Buffer.from(`[${Array(5000).fill('[{}]').join()}]`))).toHaveLength(5000)
  expect(() => parseJson(Buffer.from('"['))).toThrow(/is not JSON/)
})

it('refuses a body that the stack is too short for with 400, not with a failure of the model', async () => {
  const body = `{"model":"tokenscope-demo","input":"Hi","metadata":{"a":${nested(1_000_000)}}}`
  const response = await fetch(`${demo.url}/v1/responses`, { method: 'POST', body })
  expect(response.status).toBe(400)
})

it('takes a directive of 100 KB', async () => {
  const said = 'river '.repeat(17_000)
  const headers = { 'x-demo': `say=${encodeURIComponent(said)}` }
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] })
  const response = await fetch(`${demo.url}/v1/chat/completions`, { method: 'POST', headers, body })
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
  expect(choices[0]?.message.content).toBe(said)
})
