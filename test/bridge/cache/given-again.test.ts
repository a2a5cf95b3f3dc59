import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GenerationEvent, isFinal, type NeuralStateEntry } from '../../../events/generation.ts'
import { RawExchange } from '../../support/raw-exchange.ts'
import { rounds } from '../../support/rounds.ts'
import { useStage } from '../../support/stage.ts'

const QUESTION = 'Tell me about rivers'
const model = 'tokenscope-demo'
const messages = [{ role: 'user', content: QUESTION }]
const logprobs = { logprobs: true, top_logprobs: 2 }
const include = ['message.output_text.logprobs']

/** Every dialect, as the servers that speak it speak it, and how many choices it is asked for. */
const ASKED: [path: string, body: object, choices: number][] = [
  ['/v1/chat/completions', { model, messages, reasoning_effort: 'low', ...logprobs }, 1],
  ['/lmstudio/v1/chat/completions', { model, messages }, 1],
  ['/lmstudio/api/v1/chat', { model, input: QUESTION, reasoning: 'on' }, 1],
  ['/lmstudio/api/v0/chat/completions', { model, messages }, 1],
  ['/v1/responses', { model, input: QUESTION, include, top_logprobs: 2 }, 1],
  ['/v1/messages', { model, messages, max_tokens: 300 }, 1],
  ['/llamacpp/v1/chat/completions', { model, messages, return_progress: true, ...logprobs }, 1],
  ['/llamacpp/completion', { model, prompt: QUESTION, n_probs: 2 }, 1],
  ['/ollama/api/chat', { model, messages, think: true, ...logprobs }, 1],
  ['/ollama/api/generate', { model, prompt: QUESTION }, 1],
  ['/ollama/v1/completions', { model, prompt: QUESTION, logprobs: 2 }, 1],
  ['/vllm/v1/chat/completions', { model, messages, n: 3, ...logprobs }, 3],
]

const stage = useStage({}, { cache: true })

interface Answered {
  status: string
  /** One a line, less those that are of one message only. */
  headers: string[]
  mark: string
  chunks: Buffer[]
}

/** Asks on a socket of its own, so that the pieces of the answer are seen. */
async function asked(path: string, body: object, directives: string): Promise<Answered> {
  const host = new URL(stage.url).host
  const headers = { host, 'content-type': 'application/json', 'x-demo': directives }
  const exchange = new RawExchange(stage.url, { path, headers, body })
  expect(await exchange.ended).toBe('fin')
  const [status = '', ...lines] = exchange.head.split('\r\n')
  const mark = lines.find(line => /^x-tokenscope-cache:/i.test(line)) ?? ''
  const ofTheMoment = /^(date|x-correlation-id|x-tokenscope-cache|age|x-request-id|request-id):/i
  return {
    status,
    headers: lines.filter(line => !ofTheMoment.test(line)),
    mark: mark.split(': ')[1] ?? '',
    chunks: exchange.chunks,
  }
}

/** After how many bytes each piece ends. */
function bordersOf(chunks: readonly Buffer[]): number[] {
  let end = 0
  return chunks.map(({ length }) => {
    end += length
    return end
  })
}

/** What a viewer was told of each generation from the `first` on, less what is of its time and name. */
function told(first: number): Record<string, unknown>[][] {
  return stage.viewer.generations.slice(first).map(id =>
    stage.viewer.entries
      .filter(({ generation }) => generation === id)
      .filter(entry => entry.type === 'token_activation' || isFinal(entry.state))
      .map(entry => {
        const { seq, generation, ...rest } = entry as GenerationEvent & NeuralStateEntry
        const { timestamp, position, elapsed_ms, ttft_ms, cached, ...lasting } = rest as unknown as Record<
          string,
          unknown
        >
        return lasting
      }),
  )
}

test('whatever the dialect, an answer is given again byte by byte, in the same pieces, and shown as it was', async () => {
  let number = 0
  const directives = fc.constantFrom('', 'split=97', 'split-utf8', 'batch=3', 'pings=1ms', 'crlf', 'no-done')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ASKED),
      fc.boolean(),
      directives,
      async ([path, body, choices], stream, how) => {
        // Long enough for several pieces, short enough for many rounds.
        const asks = `tokens=30,seed=${++number},${how}`.replace(/,$/, '')
        stage.demo.seen.length = 0
        const before = stage.viewer.generations.length
        const ended = () => stage.viewer.states.filter(({ state }) => isFinal(state)).length
        const first = await asked(path, { ...body, stream }, asks)
        await stage.viewer.until(() => ended() === before + choices)
        const again = await asked(path, { stream, ...body }, asks)
        await stage.viewer.until(() => ended() === before + 2 * choices)

        expect([first.mark, again.mark]).toEqual(['MISS', 'HIT'])
        expect(Buffer.concat(again.chunks)).toEqual(Buffer.concat(first.chunks))
        expect(Buffer.concat(again.chunks).length).toBeGreaterThan(100)
        // Pieces that were read at the same moment go out as one, so the second time there may be more of them.
        const borders = new Set(bordersOf(again.chunks))
        expect(bordersOf(first.chunks).filter(border => !borders.has(border))).toEqual([])
        expect([again.status, again.headers]).toEqual([first.status, first.headers])
        expect(stage.demo.seen).toHaveLength(1)
        const all = told(before)
        expect(all.slice(choices)).toEqual(all.slice(0, choices))
        const finals = stage.viewer.states.filter(({ state }) => isFinal(state)).slice(before)
        expect(finals.map(({ cached }) => cached)).toEqual(
          Array.from({ length: 2 * choices }, (_, i) => i >= choices),
        )
        expect(finals.every(({ state, tokens_processed }) => state === 'done' && tokens_processed > 0)).toBe(
          true,
        )
      },
    ),
    {
      numRuns: rounds(1000),
      // Each dialect in both forms, and then anything.
      examples: ASKED.flatMap(one =>
        [true, false].map((stream): [typeof one, boolean, string] => [one, stream, '']),
      ),
      endOnFailure: true,
    },
  )
})
