import { LAYOUTS, type LayoutName } from '../broadcast/protocol/view.ts'

/** How long a layout that was asked about is laid out for: who asks once mostly asks again. */
const HOLD_MS = 10_000

/** A layout that was asked about. */
interface Hold {
  /** Questions that have no answer yet. */
  open: number
  /** Runs since the last was answered. */
  timer: NodeJS.Timeout | null
}

/**
 * Whether anybody is there, and which layouts somebody looks at: those that viewers have before them, and those that
 * were asked about just now.
 */
export class Watching {
  readonly #holdMs: number
  readonly #changed: () => void
  #attended = false
  #viewed: ReadonlySet<LayoutName> = new Set()
  readonly #held = new Map<LayoutName, Hold>()
  #layouts: readonly LayoutName[] = []
  #active = false
  #stopped = false

  /** @param changed called whenever `layouts` or `active` has changed */
  constructor(changed: () => void, holdMs = HOLD_MS) {
    this.#changed = changed
    this.#holdMs = holdMs
  }

  /** In the order of `LAYOUTS`. */
  get layouts(): readonly LayoutName[] {
    return this.#layouts
  }

  /** Whether somebody is there, or asked just now. */
  get active(): boolean {
    return this.#active
  }

  /** Whether there are viewers, whatever they look at. */
  attend(attended: boolean): void {
    this.#attended = attended
    this.#update()
  }

  /** What viewers have before them. */
  view(layouts: ReadonlySet<LayoutName>): void {
    this.#viewed = new Set(layouts)
    this.#update()
  }

  /** Somebody asks about a layout; gives what is to be called once it was answered. */
  ask(layout: LayoutName): () => void {
    const hold = this.#held.get(layout) ?? { open: 0, timer: null }
    this.#held.set(layout, hold)
    if (hold.timer) clearTimeout(hold.timer)
    hold.timer = null
    hold.open++
    this.#update()
    return () => {
      if (--hold.open > 0 || this.#stopped) return
      hold.timer = setTimeout(() => {
        this.#held.delete(layout)
        this.#update()
      }, this.#holdMs)
    }
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#held.values()) if (timer) clearTimeout(timer)
  }

  #update(): void {
    const layouts = LAYOUTS.filter(layout => this.#viewed.has(layout) || this.#held.has(layout))
    const active = this.#attended || layouts.length > 0
    if (active === this.#active && layouts.join() === this.#layouts.join()) return
    this.#active = active
    this.#layouts = layouts
    this.#changed()
  }
}
