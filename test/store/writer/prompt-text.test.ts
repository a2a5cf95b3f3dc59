import { describe, expect, test } from 'vitest'
import { promptText } from '../../../store/writer/prompt-text.ts'

const of = (body: unknown) => promptText(Buffer.from(JSON.stringify(body)))

describe('the prompt of a request', () => {
  test.each([
    [
      'a chat',
      {
        messages: [
          { role: 'system', content: 'be' },
          { role: 'user', content: 'hi' },
        ],
      },
      'hi',
    ],
    [
      'the last message of the user in a chat',
      {
        messages: [
          { role: 'user', content: 'one' },
          { role: 'assistant', content: 'two' },
          { role: 'user', content: 'three' },
          { role: 'tool', content: 'four' },
        ],
      },
      'three',
    ],
    [
      'a chat with parts',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'what is' },
              { type: 'image_url', image_url: { url: 'data:' } },
              { type: 'text', text: 'this?' },
            ],
          },
        ],
      },
      'what is\nthis?',
    ],
    [
      'a message of Anthropic that holds the answer of a tool only',
      {
        messages: [
          { role: 'user', content: 'look it up' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'y', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: [] }] },
        ],
      },
      'look it up',
    ],
    ['a completion', { prompt: 'Once upon' }, 'Once upon'],
    ['a completion of several', { prompt: ['a', 'b'] }, 'a\nb'],
    ['a completion of token ids', { prompt: [1, 2, 3] }, null],
    ['a response', { input: 'hello' }, 'hello'],
    [
      'a response with items',
      {
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'first' }] },
          { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'second' }] },
          { type: 'function_call_output', call_id: 'x', output: 'y' },
        ],
      },
      'second',
    ],
    [
      "LM Studio's chat",
      {
        input: [
          { type: 'text', content: 'hey' },
          { type: 'image', data_url: 'x' },
        ],
      },
      'hey',
    ],
    ["Ollama's generate", { model: 'm', prompt: 'why', images: ['x'] }, 'why'],
    ["llama.cpp's completion", { prompt: { prompt_string: 'say', multimodal_data: ['x'] } }, 'say'],
    ['nothing that is known', { query: 'x' }, null],
    ['a list', [1], null],
    ['no object', 'text', null],
    ['an empty chat', { messages: [] }, null],
    ['a chat of nonsense', { messages: [null, 5, 'x', { role: 'user' }] }, null],
  ])('of %s', (_name, body, expected) => {
    expect(of(body)).toBe(expected)
  })

  test('is not there where the body is no JSON', () => {
    expect(promptText(Buffer.from('{"messages":'))).toBeNull()
    expect(promptText(Buffer.from([0xff, 0xfe, 0x00]))).toBeNull()
  })
})
