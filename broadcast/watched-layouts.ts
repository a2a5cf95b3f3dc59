import type { LayoutName } from './protocol/view.ts'

/** What makes one viewer a watcher: the layout that it is told of live, and the one that it asked about last. */
interface Watcher {
  live: LayoutName
  asked: LayoutName | null
}

/**
 * Which layouts somebody watches: those whose tokens somebody is told of live, and those that somebody asked about
 * last. `map` is never told of live, for each entry has its place on it.
 */
export class WatchedLayouts<V> {
  readonly #onChange: (layouts: ReadonlySet<LayoutName>) => void
  readonly #watchers = new Map<V, Watcher>()
  /** How many watch each. */
  readonly #counts = new Map<LayoutName, number>()

  /** @param onChange told all that are watched, whenever that changes */
  constructor(onChange: (layouts: ReadonlySet<LayoutName>) => void) {
    this.#onChange = onChange
  }

  /** A viewer is told of this layout from now on. If it is another one, what it asked about is over. */
  follow(viewer: V, layout: LayoutName): void {
    const { live, asked } = this.#watchers.get(viewer) ?? { live: 'map', asked: null }
    if (live !== layout) this.#set(viewer, { live: layout, asked: null })
    else this.#set(viewer, { live, asked })
  }

  /** A viewer asked about this layout. */
  ask(viewer: V, layout: LayoutName): void {
    this.#set(viewer, { live: this.liveOf(viewer), asked: layout })
  }

  /** The layout that a viewer is told of. */
  liveOf(viewer: V): LayoutName {
    return this.#watchers.get(viewer)?.live ?? 'map'
  }

  /** Those that are told of this layout. */
  *liveIn(layout: LayoutName): Generator<V> {
    if (layout === 'map') return
    for (const [viewer, { live }] of this.#watchers) if (live === layout) yield viewer
  }

  /** A viewer has gone. */
  delete(viewer: V): void {
    this.#set(viewer, { live: 'map', asked: null })
  }

  #set(viewer: V, watcher: Watcher): void {
    const before = new Set(this.#counts.keys())
    const old = this.#watchers.get(viewer)
    // First what begins, so that what goes on being watched never was not.
    for (const layout of watchedBy(watcher)) this.#count(layout, 1)
    if (old !== undefined) for (const layout of watchedBy(old)) this.#count(layout, -1)
    if (watcher.live === 'map' && watcher.asked === null) this.#watchers.delete(viewer)
    else this.#watchers.set(viewer, watcher)
    const now = new Set(this.#counts.keys())
    if (before.symmetricDifference(now).size > 0) this.#onChange(now)
  }

  #count(layout: LayoutName, more: number): void {
    const count = (this.#counts.get(layout) ?? 0) + more
    if (count === 0) this.#counts.delete(layout)
    else this.#counts.set(layout, count)
  }
}

function watchedBy({ live, asked }: Watcher): Set<LayoutName> {
  const layouts = new Set<LayoutName>()
  if (live !== 'map') layouts.add(live)
  if (asked !== null) layouts.add(asked)
  return layouts
}
