/** What a process has after a full garbage collection, in bytes. */
export interface Memory {
  /** What is reachable: objects, and the bytes of buffers, which lie outside of the heap. */
  held: number
  /** What the system gives it for that, free pages of the heap included. */
  rss: number
}

const SETTLE_MS = 300

/** Reads this process's memory, which was started with `--expose-gc`. */
export async function readMemory(): Promise<Memory> {
  // What closed a moment ago is let go of by timers and turns of the event loop; twice, since what
  // a finalizer frees is collected by the next one.
  for (let i = 0; i < 2; i++) {
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
    // The flavour that gives free pages back to the system, which else happens when V8 sees fit.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { held: heapUsed + external, rss }
}
