/**
 * Loaded before a program (`node --import`): at its end it says on stderr what the process had at most in memory. The
 * system's own number for a child (`ru_maxrss`) begins with what its parent had.
 */
import { readFileSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('exit', () => {
    writeSync(2, readFileSync('/proc/self/status', 'utf8').match(/^VmHWM:.*\n/m)?.[0] ?? '')
  })
}
