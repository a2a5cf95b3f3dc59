import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { BegunAnswer } from '../bridge/continuation.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { Records } from '../store/recording.ts'
import { success } from './answers.ts'
import { bodyFailures, failures, GenerationPath, json, successOf } from './api-schema.ts'
import { begunAnswer } from './begun-answer.ts'

/** What the page may ask of the bridge. */
export interface Generations {
  generate(prompt: {
    messages: { role: string; content?: unknown }[]
    model?: string
    parameters: Record<string, unknown>
  }): { generation: string; leftOut: string[] }
  /** Goes on with an answer that broke off. */
  continue(parent: string): string
  /** Goes on with an answer from one of its tokens. */
  continueFrom(begun: BegunAnswer): string
  stop(generation: string): void
}

const NewGeneration = Type.Object({
  parent: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'An answer that broke off, to be gone on with; then there is no prompt, and no model',
    }),
  ),
  continue: Type.Optional(
    Type.Object(
      {
        generation: Type.String({ minLength: 1, description: 'A recorded generation' }),
        index: Type.Integer({ minimum: 0, description: 'The last of its tokens that is kept' }),
        text: Type.Optional(
          Type.String({
            minLength: 1,
            description: 'Words that take the place of that token, as one of its alternatives',
          }),
        ),
      },
      {
        description:
          'An answer that is to be gone on with from one of its tokens, with the request that it answered; then there is nothing else',
      },
    ),
  ),
  prompt: Type.Optional(Type.String({ description: 'The same as one message of the user' })),
  messages: Type.Optional(
    Type.Array(
      Type.Object({
        role: Type.String({ minLength: 1 }),
        // An assistant's message that calls tools has none.
        content: Type.Optional(Type.Union([Type.String(), Type.Array(Type.Unknown()), Type.Null()])),
      }),
    ),
  ),
  model: Type.Optional(Type.String({ minLength: 1 })),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  seed: Type.Optional(
    Type.Integer({ description: 'Equal seeds give equal answers, where a server keeps to it' }),
  ),
  max_tokens: Type.Optional(Type.Integer({ description: 'Tokens of the answer, at most' })),
  reasoning_effort: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'How much the model is to think first: `none`, `low`, `medium`, `high`, or as the server has it',
    }),
  ),
})
type NewGeneration = Static<typeof NewGeneration>

const Started = Type.Object({ generation: Type.String() })
const leftOut = Type.Optional(
  Type.Array(Type.String(), {
    description: 'Parameters that the upstream has no name for where it is asked, and that it was not told',
  }),
)

const tags = ['generations']

const START = {
  ...{ tags, operationId: 'startGeneration', summary: 'Starts a generation' },
  description:
    'Answers at once; what is generated comes by the WebSocket. Parameters go on to the upstream by the names that it has for them, other fields as they are.',
  body: NewGeneration,
  response: {
    201: json(successOf(Started, { left_out: leftOut }), 'It runs as this generation'),
    ...bodyFailures([
      ...(['EMPTY_PROMPT', 'NOT_FOUND', 'NOT_CONTINUABLE', 'NO_UPSTREAM'] as const),
      ...(['RECORDS_UNAVAILABLE', 'DRAINING'] as const),
    ]),
  },
}
const STOP = {
  ...{ tags, operationId: 'stopGeneration', summary: 'Stops a generation that runs' },
  description: 'The app whose request it was sees a broken connection.',
  params: GenerationPath,
  response: {
    200: json(
      successOf(Type.Object({ generation: Type.String(), state: Type.Literal('cancelling') })),
      'It ends',
    ),
    ...failures(['NOT_FOUND']),
  },
}

/** `/scope/v1`: starts and stops generations. */
export function scopeRoutes(
  app: FastifyInstance,
  generations: Generations,
  records: Pick<Records, 'get' | 'tokens'>,
): void {
  app.post('/scope/v1/generations', { schema: START }, async (request, reply) => {
    const body = request.body as NewGeneration
    const { parent, continue: place, prompt, messages, model, ...parameters } = body
    if (place !== undefined) {
      alone('continue', Object.keys(body))
      const generation = generations.continueFrom(await begunAnswer(records, place))
      return reply.code(201).send(success({ generation }))
    }
    if (parent !== undefined) {
      alone(
        'parent',
        ['parent', 'prompt', 'messages', 'model'].filter(name => name in body),
      )
      return reply.code(201).send(success({ generation: generations.continue(parent) }))
    }
    const { generation, leftOut } = generations.generate({
      messages: messagesOf(prompt, messages),
      ...(model === undefined ? {} : { model }),
      parameters,
    })
    return reply.code(201).send(success({ generation }, leftOut.length === 0 ? {} : { left_out: leftOut }))
  })

  app.delete('/scope/v1/generations/:id', { schema: STOP }, async request => {
    const { id } = request.params as Static<typeof GenerationPath>
    generations.stop(id)
    return success({ generation: id, state: 'cancelling' })
  })
}

/** @throws TokenscopeError BAD_REQUEST for what is given beside what goes on with an answer */
function alone(name: string, given: readonly string[]): void {
  const other = given.find(one => one !== name)
  if (other === undefined) return
  const message = `What goes on with "${name}" has its prompt already; leave out "${other}".`
  throw new TokenscopeError('BAD_REQUEST', message, { param: other })
}

function messagesOf(
  prompt: string | undefined,
  messages: NewGeneration['messages'],
): { role: string; content?: unknown }[] {
  if (prompt !== undefined && messages !== undefined) {
    throw new TokenscopeError('BAD_REQUEST', 'Give either "prompt" or "messages", not both.', {
      param: 'prompt',
    })
  }
  const list = messages ?? [{ role: 'user', content: prompt ?? '' }]
  const said = list.some(({ content }) => {
    const words = typeof content === 'string' ? content.trim() : content
    return (words?.length ?? 0) > 0
  })
  if (!said) throw new TokenscopeError('EMPTY_PROMPT', 'There is no prompt to send.', { param: 'prompt' })
  return list
}
