/**
 * The bytes of a tile's content: what the compositor makes once for each version of a tile, what caches keep and
 * what the binary protocol carries. docs/protocol.md describes them.
 *
 * Exact for what lies on the grids that a token is kept on: confidence in 65,534ths, entropy in 4,096ths of a nat,
 * times in ticks of 0.1 ms.
 */
import { TOKEN_KINDS, type TokenKind } from '../../events/generation.ts'
import { ByteReader, ByteWriter, ProtocolError } from './byte-codec.ts'
import {
  CELLS,
  FOLLOWS,
  HAS_CONFIDENCE,
  HAS_ENTROPY,
  HAS_INTERVAL,
  HAS_WRAPS,
  KIND_MASK,
  KIND_SHIFT,
  TOKENS,
  WIDE,
} from './tile-words.ts'
import { TILE_SIDE, type TileCell, type TileContent, type ViewToken } from './view.ts'

/** Steps of a confidence of 1, and of a nat of entropy. */
const CONFIDENCE_STEPS = 65_534
const ENTROPY_STEPS = 4096
const TICKS_PER_MS = 10
const TICKS_PER_SECOND = 10_000

/** Of an id, in bytes: what is longer is none, and would stand in each token. */
const MAX_ID_BYTES = 256
/** Differences of integers below this fit a zigzag. */
const MAX_INTEGER = 2 ** 50

/** A generation that a tile's tokens are of. */
interface TileGeneration {
  id: string
  model: number | null
}

/** A place that the next one is told from. */
interface Origin {
  x: number
  y: number
  ticks: number
}

/**
 * The bytes of a tile's content.
 *
 * @param content its cells in the order of their places; its tokens with ids of the form `<generation>:<index>`
 */
export function encodeTile({ cells, tokens }: TileContent): Uint8Array {
  const out = new ByteWriter(16 + (cells?.length ?? 0) * 8 + (tokens?.length ?? 0) * 24)
  out.u8((cells === undefined ? 0 : CELLS) | (tokens === undefined ? 0 : TOKENS))
  if (cells !== undefined) writeCells(out, cells)
  if (tokens !== undefined) writeTokens(out, tokens)
  return out.bytes.slice(0, out.length)
}

/**
 * What `encodeTile` was given.
 *
 * @throws ProtocolError if these are not its bytes
 */
export function decodeTile(bytes: Uint8Array): TileContent {
  const reader = new TileReader(bytes)
  const content: TileContent = {}
  if (reader.hasCells) {
    const cells: TileCell[] = []
    for (let cell = reader.nextCell(); cell !== null; cell = reader.nextCell()) cells.push(cell)
    content.cells = cells
  }
  if (reader.hasTokens) {
    const tokens: ViewToken[] = []
    for (let token = reader.nextToken(); token !== null; token = reader.nextToken()) tokens.push(token)
    content.tokens = tokens
  }
  reader.end()
  return content
}

/**
 * Reads what is in a tile one by one, for who cannot spare the time for all of it at once: first the cells, then the
 * tokens. Whatever is read throws a ProtocolError if these are not the bytes of `encodeTile`.
 */
export class TileReader {
  readonly hasCells: boolean
  readonly hasTokens: boolean
  readonly #input: ByteReader
  #cells = 0
  #nextAt = 0
  /** How many are left; null until those before them were read. */
  #tokens: number | null = null
  #generations: TileGeneration[] = []
  readonly #from: Origin = { x: 0, y: 0, ticks: 0 }
  #generation: TileGeneration | undefined
  #index = -1

  constructor(bytes: Uint8Array) {
    this.#input = new ByteReader(bytes)
    const head = this.#input.u8()
    if (head > (CELLS | TOKENS)) throw new ProtocolError(`a tile with ${head} in it`)
    this.hasCells = (head & CELLS) !== 0
    this.hasTokens = (head & TOKENS) !== 0
    if (this.hasCells) this.#cells = this.#input.varint()
  }

  /** The next cell, in the order of their places; null after the last. */
  nextCell(): TileCell | null {
    if (this.#cells === 0) return null
    this.#cells--
    const at = this.#nextAt + this.#input.varint()
    if (at >= TILE_SIDE * TILE_SIDE) throw new ProtocolError(`a tile with a cell ${at}`)
    const count = this.#input.varint()
    const value = this.#input.varint()
    this.#nextAt = at + 1
    return [at, count, value === 0 ? null : value - 1]
  }

  /** The next token, once all cells were read; null after the last. */
  nextToken(): ViewToken | null {
    const input = this.#input
    if (!this.hasTokens) return null
    if (this.#tokens === null) {
      this.#generations = readGenerations(input)
      this.#tokens = input.varint()
    }
    if (this.#tokens === 0) return null
    this.#tokens--
    const head = input.u8()
    if (head & FOLLOWS) this.#index++
    else {
      this.#generation = this.#generations[input.varint()]
      this.#index = input.varint()
    }
    if (this.#generation === undefined)
      throw new ProtocolError('a token of a generation that its tile does not name')
    const kind = TOKEN_KINDS[(head >> KIND_SHIFT) & KIND_MASK]
    if (kind === undefined) throw new ProtocolError('a token of a kind that there is not')
    const { id, model } = this.#generation
    return readValues(input, head, `${id}:${this.#index}`, kind, model, this.#from)
  }

  /** All of it was read. */
  end(): void {
    if (this.#input.at !== this.#input.end) throw new ProtocolError('a tile goes on after its end')
  }
}

function writeCells(out: ByteWriter, cells: readonly TileCell[]): void {
  out.varint(cells.length)
  let next = 0
  for (const [at, count, value] of cells) {
    out.varint(at - next)
    out.varint(count)
    out.varint(value === null ? 0 : value + 1)
    next = at + 1
  }
}

function writeTokens(out: ByteWriter, tokens: readonly ViewToken[]): void {
  const generations = new Generations()
  const from: Origin = { x: 0, y: 0, ticks: 0 }
  const body = new ByteWriter(16 + tokens.length * 24)
  let generation = -1
  let index = -1
  for (const token of tokens) {
    const colon = token.id.lastIndexOf(':')
    const place = generations.placeOf(token.id.slice(0, colon), token.model)
    const own = Number(token.id.slice(colon + 1))
    const follows = place === generation && own === index + 1
    const wide = isWide(token)
    body.u8(
      (follows ? FOLLOWS : 0) |
        (TOKEN_KINDS.indexOf(token.kind) << KIND_SHIFT) |
        (token.confidence === null ? 0 : HAS_CONFIDENCE) |
        (token.entropy === null ? 0 : HAS_ENTROPY) |
        (token.interval_ms === null ? 0 : HAS_INTERVAL) |
        (token.wraps === undefined ? 0 : HAS_WRAPS) |
        (wide ? WIDE : 0),
    )
    if (!follows) {
      body.varint(place)
      body.varint(own)
    }
    writeValues(body, token, wide, from)
    generation = place
    index = own
  }
  generations.write(out)
  out.varint(tokens.length)
  out.raw(body.written)
}

/** All of a token after its id, and moves `from` to it. */
function writeValues(out: ByteWriter, token: ViewToken, wide: boolean, from: Origin): void {
  const { x, y, w, confidence, entropy, interval_ms: interval, wraps } = token
  writePlace(out, x, y, wide, from)
  if (wide) out.float(w, true)
  else out.zigzag(w)
  if (confidence !== null) out.u16(Math.round(confidence * CONFIDENCE_STEPS))
  if (entropy !== null) out.u16(Math.round(entropy * ENTROPY_STEPS))
  if (interval !== null) out.varint(Math.round(interval * TICKS_PER_MS))
  const ticks = Math.round(token.timestamp * TICKS_PER_SECOND)
  out.zigzag(ticks - from.ticks)
  from.ticks = ticks
  const text = out.beginSized()
  out.text(token.text)
  out.endSized(text)
  if (wraps === undefined) return
  out.varint(wraps.length)
  for (const [at, wrapX, wrapY] of wraps) {
    out.varint(at)
    writePlace(out, wrapX, wrapY, wide, from)
  }
}

function readValues(
  input: ByteReader,
  head: number,
  id: string,
  kind: TokenKind,
  model: number | null,
  from: Origin,
): ViewToken {
  const wide = (head & WIDE) !== 0
  const [x, y] = readPlace(input, wide, from)
  const w = wide ? input.float(true) : input.zigzag()
  const confidence = head & HAS_CONFIDENCE ? input.u16() / CONFIDENCE_STEPS : null
  const entropy = head & HAS_ENTROPY ? input.u16() / ENTROPY_STEPS : null
  const interval = head & HAS_INTERVAL ? input.varint() / TICKS_PER_MS : null
  from.ticks += input.zigzag()
  const timestamp = from.ticks / TICKS_PER_SECOND
  const size = input.varint()
  const text = input.text(input.at + size)
  const token: ViewToken = {
    id,
    text,
    x,
    y,
    w,
    kind,
    model,
    confidence,
    entropy,
    interval_ms: interval,
    timestamp,
  }
  if (head & HAS_WRAPS) {
    const wraps: NonNullable<ViewToken['wraps']> = []
    for (let left = input.varint(); left > 0; left--) {
      const at = input.varint()
      const [wrapX, wrapY] = readPlace(input, wide, from)
      wraps.push([at, wrapX, wrapY])
    }
    token.wraps = wraps
  }
  return token
}

/** Writes a place from the last one that was written, and makes it the last one. */
function writePlace(out: ByteWriter, x: number, y: number, wide: boolean, from: Origin): void {
  if (wide) {
    out.float(x, true)
    out.float(y, true)
    // Those that follow may be told in integers, from what is one.
    from.x = 0
    from.y = 0
    return
  }
  out.zigzag(x - from.x)
  out.zigzag(y - from.y)
  from.x = x
  from.y = y
}

function readPlace(input: ByteReader, wide: boolean, from: Origin): [x: number, y: number] {
  if (wide) {
    from.x = 0
    from.y = 0
    return [input.float(true), input.float(true)]
  }
  from.x += input.zigzag()
  from.y += input.zigzag()
  return [from.x, from.y]
}

/** The generations of a tile's tokens, each in the place at which it came first. */
class Generations {
  readonly #all: TileGeneration[] = []
  readonly #places = new Map<string, number[]>()

  placeOf(id: string, model: number | null): number {
    let places = this.#places.get(id)
    if (places === undefined) {
      places = []
      this.#places.set(id, places)
    }
    for (const place of places) if (this.#all[place]?.model === model) return place
    places.push(this.#all.length)
    return this.#all.push({ id, model }) - 1
  }

  write(out: ByteWriter): void {
    out.varint(this.#all.length)
    for (const { id, model } of this.#all) {
      const sized = out.beginSized()
      out.text(id)
      out.endSized(sized)
      out.varint(model === null ? 0 : model + 1)
    }
  }
}

function readGenerations(input: ByteReader): TileGeneration[] {
  const generations: TileGeneration[] = []
  for (let left = input.varint(); left > 0; left--) {
    const size = input.varint()
    if (size > MAX_ID_BYTES) throw new ProtocolError(`an id of ${size} bytes`)
    const id = input.text(input.at + size)
    const model = input.varint()
    generations.push({ id, model: model === 0 ? null : model - 1 })
  }
  return generations
}

function isWide({ x, y, w, wraps }: ViewToken): boolean {
  if (!isNarrow(x) || !isNarrow(y) || !isNarrow(w)) return true
  return wraps?.some(([, wrapX, wrapY]) => !isNarrow(wrapX) || !isNarrow(wrapY)) ?? false
}

function isNarrow(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < MAX_INTEGER && !Object.is(value, -0)
}
