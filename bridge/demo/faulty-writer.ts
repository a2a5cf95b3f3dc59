/**
 * Writes the body of an answer, and here its bytes meet the faults that are about bytes: how they are cut
 * into writes, and where the connection breaks.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Faults } from './faults.ts'

/** Writes bytes in order; one call at a time. */
export interface BodyWriter {
  /**
   * Null if more can be written at once, else a promise of when. It rejects with the reason of `gone` if the
   * client goes meanwhile, or once the body is broken off where it was to be.
   */
  write(bytes: Buffer): Promise<void> | null
  /** Ends the body. */
  end(): Promise<void> | null
}

/** Whether faults change how a body is written: its length cannot be told before it then. */
export function areFaultsOfBytes(faults: Faults): boolean {
  const { drop, cut, end, split, bom } = faults
  return [drop, cut, end, split, bom, faults['split-utf8']].some(fault => fault !== undefined)
}

/** The head of `response` has been written. `gone` is aborted by the client's going, and here at a break. */
export function createBodyWriter(
  response: ServerResponse,
  faults: Faults,
  gone: AbortController,
): BodyWriter {
  return areFaultsOfBytes(faults)
    ? new FaultyWriter(response, faults, gone)
    : new PlainWriter(response, gone.signal)
}

class PlainWriter implements BodyWriter {
  readonly #response: ServerResponse
  readonly #gone: AbortSignal

  constructor(response: ServerResponse, gone: AbortSignal) {
    this.#response = response
    this.#gone = gone
  }

  write(bytes: Buffer): Promise<void> | null {
    if (this.#response.write(bytes)) return null
    return once(this.#response, 'drain', { signal: this.#gone }).then(() => {})
  }

  end(): null {
    this.#response.end()
    return null
  }
}

/** What the directive `bom` puts before a body. */
export const BYTE_ORDER_MARK = Buffer.from('\ufeff')
// What a client has not taken out of its socket when the reset arrives may be lost to it.
const BEFORE_RESET_MS = 20

class FaultyWriter implements BodyWriter {
  readonly #response: ServerResponse
  readonly #faults: Faults
  readonly #gone: AbortController
  /** How many bytes may still be written. */
  #left: number
  #begun = false

  constructor(response: ServerResponse, faults: Faults, gone: AbortController) {
    this.#response = response
    this.#faults = faults
    this.#gone = gone
    this.#left = faults.drop ?? faults.cut ?? faults.end ?? Number.POSITIVE_INFINITY
  }

  async write(bytes: Buffer): Promise<void> {
    const marked = this.#faults.bom && !this.#begun ? Buffer.concat([BYTE_ORDER_MARK, bytes]) : bytes
    this.#begun = true
    for (const piece of piecesOf(marked.subarray(0, this.#left), this.#faults)) {
      await this.#push(piece)
      this.#left -= piece.length
    }
    if (this.#left === 0) await this.#break()
  }

  async end(): Promise<void> {
    this.#response.end()
  }

  /** Resolves when the bytes are with the system: what is written next is another write. */
  async #push(piece: Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#response.write(piece, () => resolve())
    await untilAborted(promise, this.#gone.signal)
    await setImmediate()
  }

  async #break(): Promise<never> {
    // The head, where there is nothing else, is with the system then, and so is what other answers have to
    // send on this connection before this one.
    await this.#push(Buffer.alloc(0))
    const socket = this.#response.socket as Socket | null
    if (socket !== null && !socket.destroyed) {
      if (this.#faults.drop !== undefined) {
        await setTimeout(BEFORE_RESET_MS, undefined, { signal: this.#gone.signal })
        // However late the timer is, a client in this process has read before the second turn.
        await setImmediate()
        await setImmediate()
        socket.resetAndDestroy()
      } else if (this.#faults.cut !== undefined) socket.end()
      else this.#response.end()
    }
    this.#gone.abort()
    throw this.#gone.signal.reason
  }
}

function piecesOf(bytes: Buffer, { split, 'split-utf8': insideCharacters }: Faults): Buffer[] {
  const ends: number[] = []
  if (split !== undefined) for (let at = split; at < bytes.length; at += split) ends.push(at)
  if (insideCharacters) {
    // A byte from C0 on begins a character of several bytes.
    for (let at = 0; at + 1 < bytes.length; at++) if ((bytes[at] as number) >= 0xc0) ends.push(at + 1)
  }
  if (bytes.length > 0) ends.push(bytes.length)
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
