/** Which instances a request can go to, and which of them is the best. */
import type { Ask } from '../ask.ts'
import { kindsOfPath } from './kinds.ts'

/** What counts of an instance. */
export interface Candidate {
  readonly priority: number
  readonly inFlight: number
  readonly firstTokenMs: number | null
  readonly circuit: { readonly passable: boolean }
  readonly upstream: {
    readonly up: boolean
    readonly kind: string | null
    has(model: string | null): boolean
    hasLoaded(model: string | null): boolean
  }
}

/** What of a request decides where it can go. */
export type Errand = Pick<Ask, 'path' | 'model'>

/**
 * The instances that can take a request: those that have its path, are up, have its model, and whose circuit lets it
 * pass. Where none of those that are left fulfils a condition, the condition is left out, in this order: what nobody
 * has is for an upstream to refuse, and the last instance is better than none.
 */
export function fitting<T extends Candidate>(all: readonly T[], errand: Errand): readonly T[] {
  if (all.length === 1) return all
  return conditions(errand).reduce<readonly T[]>((rest, condition) => preferring(rest, condition), all)
}

/** Whether an instance fulfils all of it. */
export function canTake(one: Candidate, errand: Errand): boolean {
  return conditions(errand).every(condition => condition(one))
}

/**
 * The best of them: the lowest priority number, then one that has the model in memory, then the one with the least
 * in flight, then the one that is fastest to its first token (one that was never tried is tried), then the first.
 */
export function best<T extends Candidate>(
  candidates: readonly T[],
  errand: Pick<Errand, 'model'>,
): T | undefined {
  let chosen: T | undefined
  for (const one of candidates) {
    if (chosen === undefined || compare(one, chosen, errand) < 0) chosen = one
  }
  return chosen
}

/** Those that fulfil the condition, or all if none does. */
export function preferring<T>(all: readonly T[], condition: (one: T) => boolean): readonly T[] {
  const some = all.filter(condition)
  return some.length === 0 ? all : some
}

function conditions({ path, model }: Errand): ((one: Candidate) => boolean)[] {
  const kinds: readonly string[] | null = kindsOfPath(path)
  return [
    // The demo server has every path.
    ({ upstream: { kind } }) =>
      kinds === null || (kind !== null && (kind === 'demo' || kinds.includes(kind))),
    ({ upstream }) => upstream.up,
    ({ upstream }) => upstream.has(model),
    ({ circuit }) => circuit.passable,
  ]
}

function compare(a: Candidate, b: Candidate, { model }: Pick<Errand, 'model'>): number {
  return (
    a.priority - b.priority ||
    Number(b.upstream.hasLoaded(model)) - Number(a.upstream.hasLoaded(model)) ||
    a.inFlight - b.inFlight ||
    (a.firstTokenMs ?? 0) - (b.firstTokenMs ?? 0)
  )
}
