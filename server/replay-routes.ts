import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Records } from '../store/recording.ts'
import type { Replays } from '../store/replay/replays.ts'
import { success } from './answers.ts'
import { Bytes, bodyFailures, failures, GenerationPath, json, successOf } from './api-schema.ts'
import { goneSignal } from './gone-signal.ts'

const NDJSON = 'application/x-ndjson'

/** 1 is as it was recorded. */
const Speed = Type.Union([Type.Number({ minimum: 0.25, maximum: 1000 }), Type.Literal('unlimited')], {
  default: 1,
  description: '1 is as it was recorded, 4 four times as fast, `unlimited` as fast as it can be',
})
const ReplayBody = Type.Object({ speed: Type.Optional(Speed) }, { additionalProperties: false })
const ReplayQuery = Type.Object({ speed: Speed })

const tags = ['records']
const body = { content: { [NDJSON]: { schema: Bytes } } }

const REPLAY = {
  ...{ tags, operationId: 'replayGeneration', summary: 'Plays a recorded generation again' },
  description: 'It is shown as a new generation; `DELETE /scope/v1/generations/{id}` of that one stops it.',
  params: GenerationPath,
  body: ReplayBody,
  'x-optional-body': true,
  response: {
    201: json(successOf(Type.Object({ generation: Type.String() })), 'It plays as this generation'),
    ...bodyFailures(['NOT_FOUND', 'DRAINING', 'RECORDS_UNAVAILABLE']),
  },
}
const PLAY = {
  ...{ tags, operationId: 'playRecording', summary: 'Plays a recording that is sent' },
  description:
    'The body may be of any length and is played as it comes. The answer comes at the end; who closes the connection before stops what plays.',
  querystring: ReplayQuery,
  body,
  response: {
    200: json(successOf(Type.Object({ generations: Type.Array(Type.String()) })), 'Played as these'),
    ...failures(['BAD_REQUEST', 'BAD_RECORDING', 'UNSUPPORTED_MEDIA_TYPE', 'DRAINING']),
  },
}
const IMPORT = {
  ...{ tags, operationId: 'importRecordings', summary: 'Takes recordings in' },
  description:
    'As many as the body has, one behind the other, each whole or not at all; what was taken in before one that cannot be stays.',
  body,
  response: {
    201: json(
      successOf(
        Type.Object({
          imported: Type.Array(Type.String(), { description: 'Ids, in the order of the body' }),
          present: Type.Array(Type.String(), { description: 'Those that were there already, the same' }),
        }),
      ),
      'What became of them',
    ),
    ...failures([
      'BAD_REQUEST',
      'BAD_RECORDING',
      'ALREADY_RECORDED',
      'UNSUPPORTED_MEDIA_TYPE',
      'RECORDS_UNAVAILABLE',
    ]),
  },
}

/** `/scope/v1`: plays what was recorded, and takes in what was recorded elsewhere. */
export async function replayRoutes(
  app: FastifyInstance,
  records: Records,
  replays: Pick<Replays, 'start' | 'play'>,
): Promise<void> {
  app.post('/scope/v1/generations/:id/replay', { schema: REPLAY }, async (request, reply) => {
    const { id } = request.params as Static<typeof GenerationPath>
    const { speed = 1 } = request.body as Static<typeof ReplayBody>
    const generation = await replays.start(id, speedOf(speed))
    return reply.code(201).send(success({ generation }))
  })

  // In a scope of their own, where a body is nothing but bytes of a recording.
  await app.register(async streamed => {
    streamed.removeAllContentTypeParsers()
    streamed.addContentTypeParser(NDJSON, (_request, payload, done) => done(null, payload))

    streamed.post('/scope/v1/replays', { schema: PLAY }, async (request, reply) => {
      const { speed } = request.query as Static<typeof ReplayQuery>
      return success(await replays.play(piecesOf(request.body), speedOf(speed), goneSignal(reply)))
    })

    streamed.post('/scope/v1/generations/import', { schema: IMPORT }, async (request, reply) => {
      const taken = await records.import(piecesOf(request.body))
      return reply.code(201).send(success(taken))
    })
  })
}

function speedOf(speed: number | 'unlimited'): number | null {
  return speed === 'unlimited' ? null : speed
}

/** Whoever reads them may stop early: what is left is read and thrown away, so that the answer arrives. */
async function* piecesOf(body: unknown): AsyncGenerator<Uint8Array> {
  // Without a body there are none.
  if (body === undefined) return
  const stream = body as Readable
  try {
    yield* stream.iterator({ destroyOnReturn: false })
  } finally {
    stream.resume()
  }
}
