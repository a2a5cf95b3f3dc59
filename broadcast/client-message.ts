import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { TokenscopeError } from '../events/errors.ts'
import { TOKEN_KINDS } from '../events/generation.ts'
import { COLORS, LAYOUTS } from './protocol/view.ts'
import type { ClientMessage } from './protocol.ts'

const Id = Type.String({ minLength: 1, maxLength: 64 })
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Layout = Type.Enum([...LAYOUTS])
const Kinds = Type.Array(Type.Enum([...TOKEN_KINDS]), { maxItems: TOKEN_KINDS.length })
/** JSON can write numbers that are infinite here: 1e999. */
const Finite = Type.Number({ minimum: -Number.MAX_VALUE, maximum: Number.MAX_VALUE })
const Pixels = Type.Integer({ minimum: 1, maximum: 16_384 })
const Zoom = Type.Number({ exclusiveMinimum: 0, maximum: Number.MAX_VALUE })
const Place = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
/** Tiles that an asker may say it has. */
const MAX_HAVE = 2000
const MAX_NAME = 256
const Filter = Type.Object({
  generations: Type.Optional(Type.Array(Id, { maxItems: 1000 })),
  models: Type.Optional(Type.Array(Type.String({ maxLength: MAX_NAME }), { maxItems: 100 })),
  kinds: Type.Optional(Kinds),
  since: Type.Optional(Finite),
  until: Type.Optional(Finite),
})
/** What narrows a question. */
const narrowing = {
  t: Type.Optional(Type.Union([Finite, Type.Null()])),
  filter: Type.Optional(Type.Union([Filter, Type.Null()])),
}
/** Characters of a token: as much as servers allow in a header. */
const MAX_TOKEN = 16 * 1024

/** One schema per message type; a field that a schema does not name is ignored. */
const SCHEMAS = {
  subscribe: Compile(
    Type.Object({
      type: Type.Literal('subscribe'),
      generations: Type.Optional(
        Type.Union([Type.Literal('*'), Type.Array(Id, { minItems: 1, maxItems: 1000 })]),
      ),
      layout: Type.Optional(Layout),
      since: Type.Optional(Type.Object({ epoch: Type.String({ maxLength: 64 }), seq: Seq })),
    }),
  ),
  viewport: Compile(
    Type.Object({
      type: Type.Literal('viewport'),
      id: Seq,
      layout: Layout,
      x: Finite,
      y: Finite,
      w: Pixels,
      h: Pixels,
      zoom: Zoom,
      zoom_y: Type.Optional(Zoom),
      color: Type.Optional(Type.Enum([...COLORS])),
      ...narrowing,
      have: Type.Optional(Type.Array(Type.Tuple([Place, Place, Place, Seq]), { maxItems: MAX_HAVE })),
    }),
  ),
  pick: Compile(
    Type.Object({ type: Type.Literal('pick'), id: Seq, layout: Layout, x: Finite, y: Finite, ...narrowing }),
  ),
  layout: Compile(Type.Object({ type: Type.Literal('layout'), layout: Layout })),
  stop: Compile(Type.Object({ type: Type.Literal('stop'), generation: Id })),
  ack: Compile(Type.Object({ type: Type.Literal('ack'), seq: Seq })),
  ping: Compile(Type.Object({ type: Type.Literal('ping') })),
  auth: Compile(
    Type.Object({ type: Type.Literal('auth'), token: Type.String({ minLength: 1, maxLength: MAX_TOKEN }) }),
  ),
}

/** A question that is malformed in all but its id: who asked is told which one it was. */
export class MalformedQuestion extends TokenscopeError {
  readonly id: number

  constructor(message: string, id: number) {
    super('INVALID_MESSAGE', message)
    this.id = id
  }
}

/** Messages in one array at most. */
const MAX_MESSAGES = 100

/**
 * Reads what a client sent: one message or an array of them. Types that are not known are left out, as the
 * protocol asks of every receiver; if one of an array is malformed, none of it is taken.
 *
 * @throws TokenscopeError INVALID_MESSAGE naming what is wrong
 */
export function readClientMessages(data: Buffer, isBinary: boolean): ClientMessage[] {
  if (isBinary) throw invalid('a binary message; this protocol is JSON text')
  let value: unknown
  try {
    value = JSON.parse(data.toString('utf8'))
  } catch {
    throw invalid('the message is not JSON')
  }
  const list = Array.isArray(value) ? value : [value]
  if (list.length > MAX_MESSAGES) throw invalid(`over ${MAX_MESSAGES} messages in one array`)
  return list.flatMap(readOne)
}

function readOne(value: unknown): ClientMessage[] {
  const type = (value as { type?: unknown } | null)?.type
  if (typeof type !== 'string') throw invalid('the message has no "type"')
  if (!Object.hasOwn(SCHEMAS, type)) return []
  const schema = SCHEMAS[type as keyof typeof SCHEMAS]
  if (schema.Check(value)) return [value as ClientMessage]
  const [first] = schema.Errors(value)
  const where = first?.instancePath ? `"${first.instancePath.slice(1).replaceAll('/', '.')}" ` : ''
  const message = `${type}: ${where}${first?.message ?? 'does not fit its schema'}`
  const { id } = value as { id?: unknown }
  const isQuestion = type === 'viewport' || type === 'pick'
  if (isQuestion && Number.isSafeInteger(id) && (id as number) >= 0)
    throw new MalformedQuestion(message, id as number)
  throw invalid(message)
}

function invalid(message: string): TokenscopeError {
  return new TokenscopeError('INVALID_MESSAGE', message)
}
