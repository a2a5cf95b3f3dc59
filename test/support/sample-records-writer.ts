/** A process that writes to the records of a data folder as fast as it can, until it is told to stop. */
import * as sqlite from 'node:sqlite'
import { addGenerations } from './sample-records.ts'

const records = new sqlite.DatabaseSync(process.argv[2] as string, { timeout: 5000 })
let stopped = false
process.once('message', () => {
  stopped = true
})
let next = 1_000_000
while (!stopped) {
  addGenerations(records, next, 10, 2000)
  next += 10
  process.send?.(next)
  await new Promise(resolve => setImmediate(resolve))
}
records.close()
process.disconnect?.()
