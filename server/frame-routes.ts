import type { FastifyInstance, FastifyReply } from 'fastify'
import Type, { type Static } from 'typebox'
import type { LayoutName } from '../broadcast/protocol/view.ts'
import type { FrameQuestion } from '../compositor/frame/frame-question.ts'
import type { ErrorCode } from '../events/errors.ts'
import { TokenscopeError } from '../events/errors.ts'
import { Bytes, failures, media } from './api-schema.ts'
import { attachment } from './file-name.ts'
import { FramePlaces } from './frame-places.ts'
import { goneSignal } from './gone-signal.ts'
import { frameQuestion, generationsParameter, layoutParameter, pictureParameters } from './picture-query.ts'

/** What is asked of the compositor. */
export interface Frames {
  /** The bytes of a PNG file. */
  frame(question: FrameQuestion): Promise<Uint8Array>
  /** Whether tokens of a generation are in a layout. */
  shows(generation: string, layout: LayoutName): Promise<boolean>
}

/** What may come instead of a picture. */
export const PICTURE_FAILURES: readonly ErrorCode[] = ['BAD_REQUEST', 'POOL_FULL', 'COMPOSITOR_UNAVAILABLE']

const FrameQuery = Type.Object({
  layout: layoutParameter('map'),
  ...pictureParameters,
  generation: generationsParameter,
})

const FRAME = {
  ...{ tags: ['pictures'], operationId: 'getFrame', summary: 'A picture of what is laid out' },
  description: 'Two are drawn at a time and 18 may wait.',
  querystring: FrameQuery,
  response: { 200: media('image/png', 'The picture', Bytes), ...failures(PICTURE_FAILURES) },
}

/** Pictures of what is laid out, as answers. */
export class Pictures {
  readonly #frames: Frames
  readonly #places = new FramePlaces()

  constructor(frames: Frames) {
    this.#frames = frames
  }

  /** @throws TokenscopeError BAD_REQUEST, POOL_FULL, COMPOSITOR_UNAVAILABLE */
  async send(reply: FastifyReply, query: Static<typeof FrameQuery>): Promise<FastifyReply> {
    const question = frameQuestion(query)
    return sendPng(reply, await this.#places.with(() => this.#frames.frame(question), goneSignal(reply)))
  }

  /**
   * One of a generation alone, to be saved under its id.
   *
   * @throws TokenscopeError BAD_REQUEST, NOT_FOUND, POOL_FULL, COMPOSITOR_UNAVAILABLE
   */
  async sendOf(id: string, reply: FastifyReply, query: Static<typeof FrameQuery>): Promise<FastifyReply> {
    const question = frameQuestion({ ...query, generation: [id] })
    const work = async () => {
      if (await this.#frames.shows(id, question.layout)) return this.#frames.frame(question)
      throw new TokenscopeError('NOT_FOUND', `There are no tokens of a generation ${id.slice(0, 100)}.`)
    }
    const png = await this.#places.with(work, goneSignal(reply))
    return sendPng(reply.header('content-disposition', attachment(null, id, 'png')), png)
  }
}

/** `/scope/v1/frame.png`: a picture of what is laid out. */
export function frameRoutes(app: FastifyInstance, pictures: Pictures): void {
  app.get('/scope/v1/frame.png', { schema: FRAME }, (request, reply) =>
    pictures.send(reply, request.query as Static<typeof FrameQuery>),
  )
}

function sendPng(reply: FastifyReply, png: Uint8Array): FastifyReply {
  void reply.header('cache-control', 'no-store').type('image/png')
  return reply.send(Buffer.from(png.buffer, png.byteOffset, png.byteLength))
}
