import { type Signal, signal } from '@preact/signals'
import type { Generation } from '../generation.ts'
import { readSetting, writeSetting } from '../settings.ts'
import type { ScopeStore } from '../store.ts'

const SETTING = 'first-run'
/** The model that the server lets speak on its own; an app's first request is for another. */
const DEMO_MODEL = 'tokenscope-demo'

/**
 * Whether the three lines that show how to point an app here are seen. They go once such an app has come,
 * which is a generation that neither this page nor the demo began.
 */
export class FirstRun {
  readonly open: Signal<boolean> = signal(readSetting(SETTING) !== 'seen')
  readonly #ours = new Set<string>()
  readonly #unsure = new Set<Generation>()
  #asking = 0

  constructor(store: ScopeStore) {
    store.listen({
      began: generation => {
        this.#unsure.add(generation)
        this.#judge()
      },
    })
  }

  /** Notes a generation that this page begins, so that it is not taken for an app's. */
  async ours(start: Promise<string>): Promise<string> {
    this.#asking++
    try {
      const id = await start
      this.#ours.add(id)
      return id
    } finally {
      this.#asking--
      this.#judge()
    }
  }

  /** Brings the lines back. */
  show(): void {
    this.open.value = true
  }

  /** Closes the lines for good; the help brings them back. */
  dismiss(): void {
    this.open.value = false
    writeSetting(SETTING, 'seen')
  }

  #judge(): void {
    // The stream may tell of our own generation before the answer to our request does.
    if (this.#asking > 0) return
    for (const generation of this.#unsure) {
      if (!this.#ours.has(generation.id) && generation.model !== DEMO_MODEL) this.dismiss()
    }
    this.#unsure.clear()
  }
}
