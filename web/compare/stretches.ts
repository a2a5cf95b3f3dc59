import type { Slot } from './alignment.ts'

/** Slots that are shown beside each other in one row. */
export interface Stretch {
  from: number
  to: number
  /** All of it is the same in all texts. */
  same: boolean
}

/** A run of the same within what differs is a row of its own from this many slots on: shorter ones are chance. */
const SAME_FROM = 8
/** A row of this many slots ends where the text makes a pause; of the second number it ends anyway. */
const LONG = 24
const LONGEST = 400

/**
 * Cuts an alignment into rows. Each begins level in all columns: where texts part and where they meet again, and
 * within long stretches where the text makes a pause.
 *
 * @param pauses whether the text makes a pause after this slot, in every column; of what is the same, whether it may be
 *   cut there
 */
export function stretchesOf(
  slots: readonly Slot[],
  pauses: (slot: number, same: boolean) => boolean,
): Stretch[] {
  const stretches: Stretch[] = []
  for (const run of runsOf(slots)) {
    let from = run.from
    for (let i = run.from; i < run.to; i++) {
      const length = i + 1 - from
      if (length < LONGEST && !(length >= LONG && pauses(i, run.same))) continue
      stretches.push({ from, to: i + 1, same: run.same })
      from = i + 1
    }
    if (from < run.to) stretches.push({ from, to: run.to, same: run.same })
  }
  return stretches
}

/** Runs of slots that are the same and runs of those that differ, in which short ones of the same are left. */
function runsOf(slots: readonly Slot[]): Stretch[] {
  const runs: Stretch[] = []
  for (let from = 0; from < slots.length; ) {
    const same = slots[from]?.same === true
    let to = from
    while (to < slots.length && slots[to]?.same === same) to++
    const last = runs.at(-1)
    // The beginning that they share is a row, however short: that is where they part.
    const inside = same && to - from < SAME_FROM
    if (last !== undefined && !last.same && (inside || !same)) last.to = to
    else runs.push({ from, to, same })
    from = to
  }
  return runs
}
