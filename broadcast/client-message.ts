import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { TokenscopeError } from '../events/errors.ts'
import type { ClientMessage } from './protocol.ts'

const Id = Type.String({ minLength: 1, maxLength: 64 })
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Layout = Type.Enum(['map'])

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
  layout: Compile(Type.Object({ type: Type.Literal('layout'), layout: Layout })),
  stop: Compile(Type.Object({ type: Type.Literal('stop'), generation: Id })),
  ack: Compile(Type.Object({ type: Type.Literal('ack'), seq: Seq })),
  ping: Compile(Type.Object({ type: Type.Literal('ping') })),
}

const KNOWN = Object.keys(SCHEMAS).join(', ')

/**
 * Reads what a client sent.
 *
 * @throws TokenscopeError INVALID_MESSAGE naming what is wrong
 */
export function readClientMessage(data: Buffer, isBinary: boolean): ClientMessage {
  if (isBinary) throw invalid('a binary message; this protocol is JSON text')
  let value: unknown
  try {
    value = JSON.parse(data.toString('utf8'))
  } catch {
    throw invalid('the message is not JSON')
  }
  const type = (value as { type?: unknown } | null)?.type
  if (typeof type !== 'string') throw invalid('the message has no "type"')
  if (!Object.hasOwn(SCHEMAS, type)) {
    throw invalid(`"${type.slice(0, 40)}" is no message type here; there are ${KNOWN}`)
  }
  const schema = SCHEMAS[type as keyof typeof SCHEMAS]
  if (schema.Check(value)) return value as ClientMessage
  const [first] = schema.Errors(value)
  const where = first?.instancePath ? `"${first.instancePath.slice(1).replaceAll('/', '.')}" ` : ''
  throw invalid(`${type}: ${where}${first?.message ?? 'does not fit its schema'}`)
}

function invalid(message: string): TokenscopeError {
  return new TokenscopeError('INVALID_MESSAGE', message)
}
