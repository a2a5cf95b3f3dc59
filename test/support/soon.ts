import { vi } from 'vitest'

/** Waits until `check` throws no more: as long as a slow machine may need, not the second that is usual. */
export function soon<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000 })
}
