const LOOK_MS = 5000
/** The clock went on by so much more than the page did: the machine slept, or the page was stopped. */
const SLEPT_MS = 10_000

/**
 * Calls `wake` when somebody looks at the page again, when the network is back, when the page comes out of the
 * browser's back-forward cache, and after the machine slept, of which nothing else tells.
 */
export function onWaking(wake: () => void): void {
  const wakeIfSeen = () => {
    if (document.visibilityState === 'visible') wake()
  }
  window.addEventListener('online', wakeIfSeen)
  window.addEventListener('pageshow', event => {
    if (event.persisted) wakeIfSeen()
  })
  document.addEventListener('visibilitychange', wakeIfSeen)
  let looked = Date.now()
  setInterval(() => {
    const now = Date.now()
    if (now - looked > LOOK_MS + SLEPT_MS) wakeIfSeen()
    looked = now
  }, LOOK_MS)
}
