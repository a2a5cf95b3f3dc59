/**
 * Someone who joins late, in a process of its own: gets a long generation that is still running as a snapshot in parts,
 * puts its text together and goes on with the tokens that follow.
 */
import { BIN_SUBPROTOCOL, BinaryReader, type SnapshotMessage } from '../broadcast/protocol.ts'
import { textOfTokens } from './broadcast/load.ts'
import { WireReader } from './broadcast/wire-reader.ts'
import { answer } from './children.ts'

const ROOM_BYTES = 256 * 1024
/** Tokens to be seen after the snapshot, so that it is known to join on to them. */
const AFTERWARDS = 5

export interface Joining {
  /** From the question's write to the last part read, parsed and put together. */
  ms: number
  parts: number
  tokens: number
  bytes: number
}

answer({ join })

async function join(url: string): Promise<Joining> {
  const greeted = Promise.withResolvers<void>()
  const whole = Promise.withResolvers<SnapshotMessage>()
  const followed = Promise.withResolvers<void>()
  const binary = new BinaryReader()
  const pieces: string[] = []
  const indexes: number[] = []
  let parts = 0
  let bytes = 0
  let doneAt = 0
  const fail = (why: string) => {
    for (const { reject } of [greeted, whole, followed]) reject(new Error(`the joiner: ${why}`))
  }
  for (const { promise } of [greeted, whole, followed]) promise.catch(() => {})

  const room = Buffer.allocUnsafe(ROOM_BYTES)
  const reader = await WireReader.open(
    { url, subprotocol: BIN_SUBPROTOCOL, room },
    {
      onClose: fail,
      onMessage(data, start, end, isBinary, wireBytes) {
        if (isBinary) {
          for (const entry of binary.read(Buffer.from(data.subarray(start, end)))) {
            if (entry.type === 'token_activation') indexes.push(entry.index)
          }
          if (indexes.length >= AFTERWARDS) followed.resolve()
          return
        }
        const message = JSON.parse(data.toString('utf8', start, end)) as { type: string }
        if (message.type === 'hello') greeted.resolve()
        else if (message.type === 'snapshot') {
          const part = message as SnapshotMessage
          for (const { text } of part.generations) pieces.push(text)
          parts++
          bytes += wireBytes
          if (!part.last) return
          doneAt = performance.now()
          whole.resolve(part)
        } else fail(`was told ${message.type}`)
      },
    },
  )
  try {
    await greeted.promise
    const askedAt = performance.now()
    reader.send(JSON.stringify({ type: 'subscribe', generations: '*', layout: 'map' }))
    const last = await whole.promise
    const tokens = last.generations.at(-1)?.tokens ?? 0
    if (pieces.join('') !== textOfTokens(tokens))
      throw new Error(`the text of ${tokens} tokens is another one`)
    await followed.promise
    const wanted = indexes.map((_, at) => tokens + at)
    if (indexes.some((index, at) => index !== wanted[at])) {
      throw new Error(`after ${tokens} tokens came ${indexes.join(', ')}`)
    }
    return { ms: doneAt - askedAt, parts, tokens, bytes }
  } finally {
    reader.destroy()
  }
}
