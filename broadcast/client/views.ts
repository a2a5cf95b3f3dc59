import type { ClientMessage, ErrorMessage, ViewMessage } from '../protocol/messages.ts'
import type { LayoutName, PickQuestion, ViewQuestion } from '../protocol/view.ts'
import type { ViewPart } from '../protocol/view-codec.ts'
import { KeptTiles, placeOf, scopeOf, type WholeTile } from './kept-tiles.ts'
import { ViewAssembly, type WholeView } from './view-assembly.ts'

/** Tiles that a question names at most: the server takes twice as many. */
const MOST_HAD = 1000
/** What the server takes of a message. */
const MESSAGE_BYTES = 64 * 1024
/** Viewports asked for and not answered at most: one that is worked on, and one that waits. */
const VIEWS_AT_ONCE = 2
/** Picks asked for and not answered at most. */
const PICKS_AT_ONCE = 8

/** A question about a layout that has got no answer. */
export class ViewError extends Error {
  override readonly name = 'ViewError'
  /**
   * `SUPERSEDED`: a newer one was asked; `RESTARTED`: the server was, and the place may be another one; `CLOSED`: the
   * client was; else a code of the server's.
   */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A question that is owed an answer. */
interface Asked {
  readonly id: number
  readonly layout: LayoutName
  /** What to send; made anew each time, with the tiles that are here then. */
  begin(): { message: ClientMessage; assembly: ViewAssembly }
  readonly answer: PromiseWithResolvers<WholeView>
  /** Of what comes; null: it was not sent over this connection. */
  assembly: ViewAssembly | null
}

/** A question about a viewport without the tiles that the asker has: those are known here. */
export type Viewport = Omit<ViewQuestion, 'have'>

/**
 * The questions about layouts of a client, and the tiles that came. They are asked again on each new connection,
 * until they are answered. Of viewports only the newest is; its tiles that are here already come without content.
 */
export class ClientViews {
  readonly #send: (message: ClientMessage) => boolean
  readonly #tiles: KeptTiles
  #ids = 0
  /** Of the log that the last connection told. */
  #epoch: string | null = null
  #open = false
  #closed = false
  /** Viewports that were asked for here, the newest last; those before it for the sake of their tiles. */
  readonly #views = new Map<number, Asked>()
  readonly #picks = new Map<number, Asked>()

  /**
   * @param send sends if connected; says whether it did
   * @param mostCells of tiles that are kept; see `KeptTiles`
   */
  constructor(send: (message: ClientMessage) => boolean, mostCells?: number) {
    this.#send = send
    this.#tiles = new KeptTiles(mostCells)
  }

  /** What is in a viewport; what was asked before it and not answered yet is refused with SUPERSEDED. */
  view(question: Viewport): Promise<WholeView> {
    for (const older of this.#views.values()) {
      older.answer.reject(new ViewError('SUPERSEDED', 'A newer viewport was asked for.'))
      if (older.assembly === null) this.#views.delete(older.id)
    }
    const id = ++this.#ids
    return this.#ask(this.#views, id, question.layout, () => this.#beginView(id, { ...question }))
  }

  /** The token at a place, if there is one: the only one in `tokens`. */
  pick(question: PickQuestion): Promise<WholeView> {
    const id = ++this.#ids
    const message: ClientMessage = { ...question, type: 'pick', id }
    return this.#ask(this.#picks, id, question.layout, () => ({
      message,
      assembly: new ViewAssembly(new Map(), () => {}),
    }))
  }

  /** A connection is there, which tells the log of this epoch. */
  opened(epoch: string): void {
    if (this.#epoch !== null && epoch !== this.#epoch) this.#renew()
    this.#epoch = epoch
    this.#open = true
    this.#sendNext()
  }

  /** The connection broke. */
  broken(): void {
    this.#open = false
    const newest = [...this.#views.keys()].at(-1)
    // Those before it were refused, and nothing comes of them any more.
    for (const id of this.#views.keys()) if (id !== newest) this.#views.delete(id)
    for (const asked of [...this.#views.values(), ...this.#picks.values()]) asked.assembly = null
  }

  /** Nothing comes any more: what was asked is refused with CLOSED. */
  ended(): void {
    this.#closed = true
    for (const { answer } of [...this.#views.values(), ...this.#picks.values()]) answer.reject(closed())
    this.#views.clear()
    this.#picks.clear()
  }

  /**
   * Takes a part of an answer.
   *
   * @throws ProtocolError if it does not follow what came before
   */
  take(part: ViewMessage | ViewPart): void {
    const asked = this.#asked(part.id)
    if (asked?.assembly == null) return
    const whole = 'type' in part ? asked.assembly.add(part) : asked.assembly.addBinary(part)
    // What was asked before it is not sent any further.
    if (this.#views.has(part.id))
      for (const id of this.#views.keys()) if (id < part.id) this.#views.delete(id)
    if (whole !== null) {
      this.#forget(part.id)
      asked.answer.resolve(whole)
    }
    this.#sendNext()
  }

  /** Takes an error; says whether it answers a question of here. */
  refused({ id, code, message }: ErrorMessage): boolean {
    const asked = id === undefined ? undefined : this.#asked(id)
    if (asked === undefined) return false
    this.#forget(asked.id)
    asked.answer.reject(new ViewError(code, message))
    this.#sendNext()
    return true
  }

  /**
   * The server was started anew. Where tokens lie it has found out again: only the map is the same, and a place on
   * another layout is not the one that was pointed at. A viewport is asked about as it is.
   */
  #renew(): void {
    this.#tiles.clear()
    for (const { id, layout, answer } of this.#picks.values()) {
      if (layout === 'map') continue
      this.#picks.delete(id)
      answer.reject(new ViewError('RESTARTED', 'The server was started anew, and laid out anew.'))
    }
  }

  #ask(among: Map<number, Asked>, id: number, layout: LayoutName, begin: Asked['begin']): Promise<WholeView> {
    if (this.#closed) return Promise.reject(closed())
    const asked: Asked = { id, layout, begin, answer: Promise.withResolvers(), assembly: null }
    among.set(id, asked)
    this.#sendNext()
    return asked.answer.promise
  }

  #beginView(id: number, question: Viewport): ReturnType<Asked['begin']> {
    const scope = scopeOf(question)
    let had = this.#tiles.seen(question, MOST_HAD)
    let message: ClientMessage = viewportOf(id, question, had)
    while (had.length > 0 && new TextEncoder().encode(JSON.stringify(message)).length > MESSAGE_BYTES) {
      had = had.slice(0, had.length >> 1)
      message = viewportOf(id, question, had)
    }
    const byPlace = new Map(had.map(tile => [placeOf(tile), tile]))
    return { message, assembly: new ViewAssembly(byPlace, tile => this.#tiles.set(scope, tile)) }
  }

  /** Sends what may be: no more at once than the server answers in any case. */
  #sendNext(): void {
    if (!this.#open) return
    this.#sendSome(this.#views, VIEWS_AT_ONCE)
    this.#sendSome(this.#picks, PICKS_AT_ONCE)
  }

  #sendSome(among: Map<number, Asked>, most: number): void {
    let under = 0
    for (const asked of among.values()) {
      if (++under > most) return
      if (asked.assembly !== null) continue
      const { message, assembly } = asked.begin()
      if (!this.#send(message)) return
      asked.assembly = assembly
    }
  }

  #asked(id: number): Asked | undefined {
    return this.#views.get(id) ?? this.#picks.get(id)
  }

  #forget(id: number): void {
    this.#views.delete(id)
    this.#picks.delete(id)
  }
}

function viewportOf(id: number, question: Viewport, had: readonly WholeTile[]): ClientMessage {
  return { ...question, type: 'viewport', id, have: had.map(({ z, x, y, version }) => [z, x, y, version]) }
}

function closed(): ViewError {
  return new ViewError('CLOSED', 'The client was closed.')
}
