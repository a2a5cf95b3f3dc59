import type { MapLook } from '../map/map-look.ts'

/** Narrows map and time line to what came in this stretch, Unix seconds; null: to nothing any more, other filters stay. */
export function narrowTo(look: MapLook, span: { since?: number; until?: number } | null): void {
  const { since: _since, until: _until, ...others } = look.filter.peek() ?? {}
  const narrowed = { ...others, ...span }
  look.filter.value = Object.keys(narrowed).length === 0 ? null : narrowed
}

/** Moves one end of that stretch. The other end is given up where it would come before its begin. */
export function narrowFrom(look: MapLook, end: 'since' | 'until', at: number): void {
  const { since, until } = look.filter.peek() ?? {}
  const other = end === 'since' ? until : since
  const fits = other !== undefined && (end === 'since' ? at < other : other < at)
  narrowTo(look, { [end]: at, ...(fits ? { [end === 'since' ? 'until' : 'since']: other } : {}) })
}
