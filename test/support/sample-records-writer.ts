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
  // Once it has left this process: what has not is lost with the channel.
  await new Promise(resolve => process.send?.(next, undefined, undefined, resolve))
}
records.close()
process.disconnect?.()
