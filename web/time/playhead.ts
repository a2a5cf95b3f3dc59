import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'

/** How fast time can be played, in times of how it was. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] as const
export type Speed = (typeof SPEEDS)[number]

/** Which moment is shown. What is live goes on behind it, whatever is shown. */
export class Playhead {
  /** Unix seconds of the server's clock; null: now, as it comes. */
  readonly at: Signal<number | null> = signal(null)
  readonly playing: Signal<boolean> = signal(false)
  readonly speed: Signal<Speed> = signal(1)
  readonly live: ReadonlySignal<boolean> = computed(() => this.at.value === null)

  /** Shows now, from now on. */
  goLive(): void {
    this.playing.value = false
    this.at.value = null
  }

  /** Shows this moment; whether it plays on from there stays as it is. */
  seek(at: number): void {
    this.at.value = at
  }
}
