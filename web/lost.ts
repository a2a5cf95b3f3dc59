import { effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { ScopeState } from '../broadcast/client.ts'

/** A break shorter than this is not worth a word: most are over before one has read it. */
const PATIENCE_MS = 900

/**
 * Whether the connection has been away for a while. From then on what is shown as live is only the last that
 * was heard of it.
 */
export function createLost(connection: Signal<ScopeState>): ReadonlySignal<boolean> {
  const lost = signal(false)
  let patience: ReturnType<typeof setTimeout> | undefined
  effect(() => {
    const { kind } = connection.value
    if (kind === 'open' || kind === 'closed') {
      clearTimeout(patience)
      patience = undefined
      lost.value = kind === 'closed'
      return
    }
    // Between two attempts it is as lost as before.
    patience ??= setTimeout(() => {
      lost.value = true
    }, PATIENCE_MS)
  })
  return lost
}
