import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { TokenscopeError } from '../events/errors.ts'
import { success } from './answers.ts'
import { bodyFailures, failures, GenerationPath, json, successOf } from './api-schema.ts'

/** What the page may ask of the bridge. */
export interface Generations {
  generate(prompt: {
    messages: { role: string; content?: unknown }[]
    model?: string
    parameters: Record<string, unknown>
  }): string
  /** Goes on with an answer that broke off. */
  continue(parent: string): string
  stop(generation: string): void
}

const NewGeneration = Type.Object({
  parent: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'An answer that broke off, to be gone on with; then there is no prompt, and no model',
    }),
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
})

const tags = ['generations']

const START = {
  ...{ tags, operationId: 'startGeneration', summary: 'Starts a generation' },
  description:
    'Answers at once; what is generated comes by the WebSocket. Other fields go on to the upstream as they are.',
  body: NewGeneration,
  response: {
    201: json(successOf(Type.Object({ generation: Type.String() })), 'It runs as this generation'),
    ...bodyFailures(['EMPTY_PROMPT', 'NOT_FOUND', 'NOT_CONTINUABLE', 'NO_UPSTREAM', 'DRAINING']),
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
export function scopeRoutes(app: FastifyInstance, generations: Generations): void {
  app.post('/scope/v1/generations', { schema: START }, async (request, reply) => {
    const { parent, prompt, messages, model, ...parameters } = request.body as Static<typeof NewGeneration>
    if (parent !== undefined) {
      const given = ['prompt', 'messages', 'model'].find(name => name in (request.body as object))
      if (given !== undefined) {
        const message = `What goes on with "parent" has its prompt already; leave out "${given}".`
        throw new TokenscopeError('BAD_REQUEST', message, { param: given })
      }
      return reply.code(201).send(success({ generation: generations.continue(parent) }))
    }
    const generation = generations.generate({
      messages: messagesOf(prompt, messages),
      ...(model === undefined ? {} : { model }),
      parameters,
    })
    return reply.code(201).send(success({ generation }))
  })

  app.delete('/scope/v1/generations/:id', { schema: STOP }, async request => {
    const { id } = request.params as Static<typeof GenerationPath>
    generations.stop(id)
    return success({ generation: id, state: 'cancelling' })
  })
}

function messagesOf(
  prompt: string | undefined,
  messages: Static<typeof NewGeneration>['messages'],
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
