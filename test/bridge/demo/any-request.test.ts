import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROUTES } from '../../../bridge/demo/routes.ts'
import { Demo } from '../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const NAMES = [
  ['stream', 'logprobs', 'top_logprobs', 'n', 'n_probs', 'n_predict', 'temperature', 'top_p', 'seed', 'stop'],
  ['stop_sequences', 'stream_options', 'tools', 'tool_choice', 'reasoning', 'reasoning_effort', 'thinking'],
  [
    'think',
    'options',
    'metadata',
    'include',
    'store',
    'previous_response_id',
    'instructions',
    'text',
    'user',
  ],
  ['tokens', 'content', 'with_pieces', 'context', 'integrations', 'system_prompt', 'chat_template_kwargs'],
  ['model', 'messages', 'input', 'prompt', 'return_token_ids', 'stream_interval', '__proto__', 'constructor'],
].flat()
const WORDS = ['', 'tokenscope-demo', 'user', 'function', 'required', 'any', 'low', 'on', 'text', 'message']
const tool = (parameters: unknown) => ({
  type: 'function',
  name: 'f',
  function: { name: 'f', parameters },
  parameters,
  input_schema: parameters,
})

/** JSON that is nearly what a request holds. */
const { value } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...WORDS, '\ud800', '\0', '🦉', null, true, false),
    fc.constantFrom(0, 1, -1, 8, 1.5, 2 ** 53, 1e308),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'properties', 'type', 'role', 'enum', 'const'), tie('value')),
    fc.record({ role: fc.constantFrom('user', 'assistant', 'tool'), content: tie('value') }),
    tie('value').map(tool),
  ),
}))
const body = fc.oneof(
  value,
  fc
    .dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 4 })
    // What a request needs, so that it is not refused for the lack of it.
    .map(odd => ({
      model: 'tokenscope-demo',
      messages: [{ role: 'user', content: 'Hi' }],
      ...{ max_tokens: 9, max_output_tokens: 9, options: { num_predict: 9 } },
      ...odd,
    })),
)
const target = fc.constantFrom(...ROUTES.flatMap(route => route.kinds.map(kind => ({ route, kind }))))
const id = fc.constantFrom('tokenscope-demo', '%F0', 'a%2Fb', 'x/y', '%00', '__proto__', '%')

it('is answered, whatever its body is, and is never a failure of the model', async () => {
  const ask = async (
    { route, kind }: { route: (typeof ROUTES)[number]; kind: string },
    sent: unknown,
    name: string,
  ) => {
    const path = `/${kind}${route.path.replace(/:id\*?/, name)}`
    const response = await fetch(demo.url + path, {
      method: route.method,
      headers: { 'x-demo': 'tokens=5' },
      ...(route.method === 'GET' ? {} : { body: JSON.stringify(sent) }),
    })
    const text = await response.text()
    // A plugin that is not there is the one thing that LM Studio itself answers with 500.
    if (!/plugin|MCP/.test(text)) expect(response.status, text).toBeLessThan(500)
  }
  await fc.assert(fc.asyncProperty(target, body, id, ask), { numRuns: 400 })
  while (demo.server.active > 0) await setImmediate()
})
