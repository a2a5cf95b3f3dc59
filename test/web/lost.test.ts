import { signal } from '@preact/signals'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ScopeState } from '../../broadcast/client.ts'
import { createLost } from '../../web/lost.ts'

const WAITING: ScopeState = { kind: 'waiting', retryAt: 0, reason: 'gone', code: null }

describe('a lost connection', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is none while it is short', () => {
    const connection = signal<ScopeState>({ kind: 'open' })
    const lost = createLost(connection)
    connection.value = WAITING
    vi.advanceTimersByTime(500)
    connection.value = { kind: 'open' }
    vi.advanceTimersByTime(5000)
    expect(lost.value).toBe(false)
  })

  it('lasts over all attempts, until one succeeds', () => {
    const connection = signal<ScopeState>({ kind: 'open' })
    const lost = createLost(connection)
    for (let attempt = 0; attempt < 4; attempt++) {
      connection.value = WAITING
      vi.advanceTimersByTime(300)
      connection.value = { kind: 'connecting', code: null }
      vi.advanceTimersByTime(200)
    }
    expect(lost.value).toBe(true)
    connection.value = { kind: 'open' }
    expect(lost.value).toBe(false)
  })

  it('is lost at once where it will not come back', () => {
    const connection = signal<ScopeState>({ kind: 'open' })
    const lost = createLost(connection)
    connection.value = { kind: 'closed', code: 4508, reason: 'abuse' }
    expect(lost.value).toBe(true)
  })
})
