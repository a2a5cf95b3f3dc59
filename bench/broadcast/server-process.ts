/** What the server processes of the broadcast bench have in common. */
import { createInterface } from 'node:readline'
import type { Quantiles } from '../figure.ts'

export interface ServerRound {
  cpuMs: number
  /** From the token's line to the first write of it, in milliseconds; null where the server does not tell. */
  written: Quantiles | null
  /** Entries that viewers were moved past, as the server counts them. */
  skipped: number
}

export interface ServerMemory {
  rss: number
  heapUsed: number
}

/** Calls `onText` with the text of each token that the feeder writes, a line each. */
export function readTexts(onText: (text: string) => void): void {
  createInterface({ input: process.stdin }).on('line', onText)
}

/** Memory in bytes when what nobody needs any more is gone. */
export async function settledMemory(): Promise<ServerMemory> {
  for (let i = 0; i < 3; i++) {
    await new Promise(resolve => setTimeout(resolve, 100))
    globalThis.gc?.()
  }
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heapUsed }
}

/** Processor time since `start`, in milliseconds. */
export function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
