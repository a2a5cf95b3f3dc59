/**
 * The conditional groups of a C file (`#if` … `#endif`) that are open, and whether what stands here is left out for sure. A condition that
 * is not known takes its group in.
 */
export class Conditions {
  /** Of each open `#if` the bits below. */
  readonly #open: number[] = []
  #leaveOut = false

  /** Whether one of the open groups is left out. */
  get leaveOut(): boolean {
    return this.#leaveOut
  }

  if(condition: boolean | null): void {
    this.#open.push(this.#leaveOut ? OUTER_OUT : 0)
    this.#branch(condition)
  }

  elif(condition: boolean | null): void {
    this.#branch(condition)
  }

  else(): void {
    this.#branch(true)
  }

  /** One that closes nothing is passed over. */
  endif(): void {
    const group = this.#open.pop()
    if (group !== undefined) this.#leaveOut = (group & OUTER_OUT) !== 0
  }

  /** A branch is left out if its own condition is false, or one before it is true. */
  #branch(condition: boolean | null): void {
    const group = this.#open.pop()
    if (group === undefined) return
    const out = (group & (OUTER_OUT | TAKEN)) !== 0 || condition === false
    this.#open.push(condition === true ? group | TAKEN : group)
    this.#leaveOut = out
  }
}

/** What the `#if` stands in is left out. */
const OUTER_OUT = 1
/** A branch came whose condition is true. */
const TAKEN = 2
