import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { TokenscopeError } from '../events/errors.ts'
import type { ExportFormat, Records } from '../store/recording.ts'
import { Bytes, failures, GenerationPath, oneOf } from './api-schema.ts'
import { attachment } from './file-name.ts'
import { PICTURE_FAILURES, type Pictures } from './frame-routes.ts'
import { layoutParameter, pictureParameters } from './picture-query.ts'

const TYPES: Record<ExportFormat, string> = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
}

/** Exports that are read at a time: one that nobody reads holds what was read of it. */
const AT_ONCE = 64

const ExportQuery = Type.Object({
  format: oneOf([...(Object.keys(TYPES) as ExportFormat[]), 'png' as const], {
    description: '`jsonl` has all of it and can be taken in again; the others are for people and tables',
  }),
  layout: layoutParameter('flow'),
  ...pictureParameters,
})

const EXPORT = {
  ...{ tags: ['records'], operationId: 'exportGeneration', summary: 'A generation as a file' },
  description:
    'The parameters but `format` are for pictures. What fails midway ends as a broken connection, never as a file that looks whole.',
  params: GenerationPath,
  querystring: ExportQuery,
  response: {
    200: {
      description: 'The file; its name is in `content-disposition`',
      content: Object.fromEntries(
        [...Object.values(TYPES), 'image/png'].map(type => [type.split(';', 1)[0], { schema: Bytes }]),
      ),
    },
    ...failures([...PICTURE_FAILURES, 'NOT_FOUND', 'RECORDS_UNAVAILABLE']),
  },
}

/** `/scope/v1/generations/:id/export`: a generation as a file. */
export function exportRoutes(app: FastifyInstance, records: Records, pictures: Pictures): void {
  let open = 0
  /** A file that takes a place until it closes. */
  const placed = async (pieces: AsyncIterable<Uint8Array>): Promise<Readable> => {
    if (open >= AT_ONCE) {
      const message = `${AT_ONCE} exports are read already. Try again in a few seconds.`
      throw new TokenscopeError('POOL_FULL', message, { retryAfterSeconds: 2 })
    }
    open++
    try {
      return (await streamOf(pieces)).once('close', () => open--)
    } catch (error) {
      open--
      throw error
    }
  }

  app.get('/scope/v1/generations/:id/export', { schema: EXPORT }, async (request, reply) => {
    const { id } = request.params as Static<typeof GenerationPath>
    const { format, ...query } = request.query as Static<typeof ExportQuery>
    if (format === 'png') return pictures.sendOf(id, reply, query)
    const { name } = await records.record(id)
    // Nothing is read for who asks for the head alone.
    const file = request.method === 'HEAD' ? Readable.from([]) : await placed(records.export(id, format))
    return reply
      .header('content-disposition', attachment(name, id, format))
      .header('cache-control', 'no-store')
      .type(TYPES[format])
      .send(file)
  })
}

/** A stream that reads as fast as it is read. What fails with the first piece rejects, and can still be answered. */
async function streamOf(pieces: AsyncIterable<Uint8Array>): Promise<Readable> {
  const rest = pieces[Symbol.asyncIterator]()
  const first = await rest.next()
  async function* all() {
    if (first.done) return
    yield first.value
    yield* { [Symbol.asyncIterator]: () => rest }
  }
  const file = Readable.from(all(), { objectMode: false })
  // However it closes: who asked may have gone before anything was read.
  file.once('close', () => void Promise.resolve(rest.return?.()).catch(() => {}))
  return file
}
