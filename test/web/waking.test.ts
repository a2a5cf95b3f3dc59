import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { onWaking } from '../../web/waking.ts'

class FakeDocument extends EventTarget {
  visibilityState: 'visible' | 'hidden' = 'visible'
}

let page: FakeDocument
let frame: EventTarget
let woken: number

beforeEach(() => {
  vi.useFakeTimers()
  page = new FakeDocument()
  frame = new EventTarget()
  vi.stubGlobal('document', page)
  vi.stubGlobal('window', frame)
  woken = 0
  onWaking(() => woken++)
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('a page wakes', () => {
  it('when somebody looks at it again, not when they look away', () => {
    page.visibilityState = 'hidden'
    page.dispatchEvent(new Event('visibilitychange'))
    expect(woken).toBe(0)
    page.visibilityState = 'visible'
    page.dispatchEvent(new Event('visibilitychange'))
    expect(woken).toBe(1)
  })

  it('when the network is back', () => {
    frame.dispatchEvent(new Event('online'))
    expect(woken).toBe(1)
  })

  it('when it comes out of the back-forward cache, not when it is loaded', () => {
    frame.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
    expect(woken).toBe(0)
    frame.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    expect(woken).toBe(1)
  })

  it('when the machine slept, of which only the clock tells, and not while time goes on as it does', () => {
    vi.advanceTimersByTime(60_000)
    expect(woken).toBe(0)
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(5000)
    expect(woken).toBe(1)
    vi.advanceTimersByTime(60_000)
    expect(woken).toBe(1)
  })

  it('only if it is seen', () => {
    page.visibilityState = 'hidden'
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(5000)
    frame.dispatchEvent(new Event('online'))
    expect(woken).toBe(0)
  })
})
