const MOST = 50
/** Longer ones, as whole files, are not remembered: what a browser remembers has to share 5 MB. */
const LONGEST = 20_000

/** The prompts that were sent, and the way through them: back with every step up, to what was being written at last. */
export class PromptHistory {
  /** The oldest first. */
  readonly #prompts: string[]
  /** Which one is shown; their number: what is being written. */
  #at: number
  #draft = ''

  constructor(saved: string | null = null) {
    this.#prompts = readPrompts(saved)
    this.#at = this.#prompts.length
  }

  /** What is to be remembered of them. */
  get saved(): string {
    return JSON.stringify(this.#prompts.filter(({ length }) => length <= LONGEST))
  }

  /** Takes in what was remembered meanwhile, as by another tab; what is brought back then begins at the last again. */
  join(saved: string | null): void {
    const remembered = readPrompts(saved)
    const own = this.#prompts.filter(prompt => !remembered.includes(prompt))
    this.#prompts.splice(0, Number.POSITIVE_INFINITY, ...[...own, ...remembered].slice(-MOST))
    this.#at = this.#prompts.length
  }

  /** Notes a prompt that was sent; one that was sent before comes last again. */
  add(prompt: string): void {
    const before = this.#prompts.indexOf(prompt)
    if (before >= 0) this.#prompts.splice(before, 1)
    this.#prompts.push(prompt)
    if (this.#prompts.length > MOST) this.#prompts.shift()
    this.#at = this.#prompts.length
    this.#draft = ''
  }

  /**
   * The prompt that is this step away from the one that is shown, -1 being the one before; null where the way ends, or
   * where what is written was written by hand: then arrows move in it.
   */
  step(by: 1 | -1, written: string): string | null {
    const shown = this.#at < this.#prompts.length ? this.#prompts[this.#at] : undefined
    const isShown = shown !== undefined && shown === written
    if (!isShown && written !== '') return null
    // What was shown and then cleared is begun anew.
    if (!isShown) {
      this.#at = this.#prompts.length
      this.#draft = written
    }
    const next = this.#at + by
    if (next < 0 || next > this.#prompts.length) return null
    this.#at = next
    return this.#prompts[next] ?? this.#draft
  }
}

function readPrompts(saved: string | null): string[] {
  try {
    const found: unknown = JSON.parse(saved ?? '[]')
    if (!Array.isArray(found)) return []
    return found.filter(prompt => typeof prompt === 'string' && prompt !== '').slice(-MOST)
  } catch {
    return []
  }
}
