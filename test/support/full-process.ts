/**
 * A process whose file descriptors are all in use when its compositor is to start, and free again once that
 * has failed. Prints what the compositor says at first, and how many tokens are laid out in the end.
 */

import { closeSync, openSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { TokenLog } from '../../broadcast/token-log.ts'
import { Compositor } from '../../compositor/compositor.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { tokenEvent } from './hub-events.ts'
import { RecordingMeter } from './hub-meter.ts'

const taken: number[] = []
const said: string[] = []
const log = new TokenLog({ place: mapPosition })
const meter = new RecordingMeter()
const compositor = new Compositor({
  log,
  past: null,
  meter,
  backend: { name: 'cpu', adapter: null, reason: '', detail: 'CPU' },
  dump: null,
  say(level, text) {
    if (level !== 'debug') said.push(`${level}: ${text}`)
    for (const descriptor of taken.splice(0)) closeSync(descriptor)
  },
})
compositor.start()
log.append(tokenEvent('g_a', 0), 0)
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  compositor.watch(new Set(['map']))
}
while (compositor.laidOutTo !== log.head) await turn()
console.log(said[0])
console.log(compositor.report().facts?.tokens)
await compositor.stop()
