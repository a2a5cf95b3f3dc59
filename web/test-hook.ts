import type { Position } from '../broadcast/protocol.ts'
import type { Scope } from './scope.ts'
import type { DrawnBy } from './view/picture-layer.ts'

/** What tests in a real browser may look at; nothing can be changed through it. */
export interface ScopeHook {
  /** Tokens held. */
  readonly tokens: number
  readonly generations: number
  /** The last entry that was applied. */
  readonly applied: Position | null
  /** What draws the map now; null before there is a map. */
  readonly drawnBy: DrawnBy | null
  /** Frames of the map drawn so far. */
  readonly frames: number
  /** Whether the next frame of the map can be drawn: those before it are. */
  readonly ready: boolean
  /** Whether the map shows what it is to show, whole and sharp, and nothing of it is on its way. */
  readonly settled: boolean
  /** The middle of a map cell, in CSS pixels of the window. */
  cellToClient(x: number, y: number): { x: number; y: number }
}

/** Puts the hook at `window.__scope`. */
export function exposeForTests({ store, client, map }: Scope): void {
  const hook: ScopeHook = {
    get tokens() {
      return store.held.peek()
    },
    get generations() {
      return store.list.peek().length
    },
    get applied() {
      return client.applied && { ...client.applied }
    },
    get drawnBy() {
      return map.peek()?.layer.by ?? null
    },
    get frames() {
      return map.peek()?.frames ?? 0
    },
    get ready() {
      return map.peek()?.layer.ready ?? false
    },
    get settled() {
      return map.peek()?.settled ?? false
    },
    cellToClient: (x, y) => map.peek()?.cellToClient(x, y) ?? { x: Number.NaN, y: Number.NaN },
  }
  Object.defineProperty(window, '__scope', { value: Object.freeze(hook) })
}
