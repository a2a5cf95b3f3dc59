/**
 * The hub before few and many viewers. The feeder (this process), the server and the viewers are three processes; a
 * token's time counts from the feeder's write. A server that delivers anything but every token to every viewer in its
 * order fails the bench, ours and others alike.
 */
import { fiveThousandViewers } from './broadcast/five-thousand.ts'
import { hundredViewers } from './broadcast/hundred.ts'
import { lateJoiner } from './broadcast/late-joiner.ts'
import { stalledViewers } from './broadcast/stalled.ts'
import { thousandViewers } from './broadcast/thousand.ts'
import type { Bench, Figure } from './figure.ts'

export const broadcast: Bench = { name: 'broadcast', title: 'hub, 100 to 5,000 viewers', run }

async function run(): Promise<Figure[]> {
  return [
    ...(await hundredViewers()),
    ...(await thousandViewers()),
    ...(await fiveThousandViewers()),
    ...(await stalledViewers()),
    ...(await lateJoiner()),
  ]
}
