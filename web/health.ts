import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { Samples } from './instruments/samples.ts'
import { askReadiness, type Readiness, type UpstreamFacts } from './server-api.ts'

const EACH_MS = 5000

/** How the server and its upstream are, asked every five seconds while the page is seen. */
export class Health {
  /** The last answer; what was known stays while the server cannot be asked. */
  readonly readiness: Signal<Readiness | null> = signal(null)
  /** Whether the last question was answered. */
  readonly reached = signal(false)
  readonly upstream: ReadonlySignal<UpstreamFacts> = computed(
    () => (this.#component('upstream')?.facts ?? {}) as UpstreamFacts,
  )
  /** The upstream's state as a sentence. */
  readonly sentence = computed(() => this.#component('upstream')?.detail ?? null)
  readonly viewers = computed(() => {
    const viewers = this.#component('broadcast')?.facts?.viewers
    return this.reached.value && typeof viewers === 'number' ? viewers : null
  })
  /** How many watched, as each answer said. */
  readonly viewersSeen = new Samples()
  /** How far the slowest viewer was behind, in entries; measured while somebody looks at it. */
  readonly lagSeen = new Samples()
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking = false
  /** Something changed while the answer was under way: it may be old news. */
  #again = false

  /** Asks now, and from now on every five seconds. */
  ask(): void {
    clearTimeout(this.#timer)
    if (this.#asking) {
      this.#again = true
      return
    }
    this.#asking = true
    void askReadiness().then(readiness => {
      this.#asking = false
      this.reached.value = readiness !== null
      if (readiness !== null) this.readiness.value = readiness
      if (this.viewers.value !== null) this.viewersSeen.add(this.viewers.value)
      if (this.#again) {
        this.#again = false
        this.ask()
        return
      }
      this.#timer = setTimeout(() => this.#askIfSeen(), EACH_MS)
    })
  }

  #askIfSeen(): void {
    if (document.visibilityState === 'visible') this.ask()
    else this.#timer = setTimeout(() => this.#askIfSeen(), EACH_MS)
  }

  #component(name: string) {
    return this.readiness.value?.components.find(component => component.name === name)
  }
}
