import { mapPosition } from '../../compositor/layout/map.ts'
import type { LogEntry } from '../../events/generation.ts'
import { answer } from '../children.ts'
import { Load } from './load.ts'
import { cpuSince, readTexts, type ServerRound } from './server-process.ts'

/** What is compared with the hub. */
export interface Peer {
  /** Listens on a free port of loopback and gives the address for readers. */
  listen(): Promise<string>
  /** Sends a token to everyone who is connected. */
  send(entry: LogEntry): void
}

/** Answers as a server of the broadcast bench: each token that the feeder writes is sent to everyone. */
export function servePeer(peer: Peer): void {
  const load = new Load()
  let cpu = process.cpuUsage()
  readTexts(text => {
    const { token } = load.next(text)
    peer.send({ seq: load.count, ...token, position: mapPosition(load.count) })
  })
  answer({
    listen: () => peer.listen(),
    begin() {
      cpu = process.cpuUsage()
    },
    end: (): ServerRound => ({ cpuMs: cpuSince(cpu), written: null, skipped: 0 }),
  })
}
