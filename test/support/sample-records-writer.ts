/**
 * A process that writes to the records of a data folder: ten generations for each message, in one transaction, and
 * then the number of the next one. It ends with the channel.
 */
import * as sqlite from 'node:sqlite'
import { addGenerations } from './sample-records.ts'

const records = new sqlite.DatabaseSync(process.argv[2] as string, { timeout: 5000 })
let next = 1_000_000
process.on('message', () => {
  addGenerations(records, next, 10, 2000)
  next += 10
  process.send?.(next)
})
process.once('disconnect', () => records.close())
