import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Whether there is a process of this id that is more than an entry which nobody has collected yet. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    // A system without /proc collects by itself what nobody waits for.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux'
  }
}

/** Waits until it is gone; that nobody tells of a process that is not one's own child is why this looks. */
export async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await sleep(2)
}
