import type { InstanceReport } from '../../bridge/pool/instance.ts'
import type { ClientReport } from '../../broadcast/client-report.ts'
import { callServer } from '../server-api.ts'

export type { ClientReport, InstanceReport }

/** Viewers that are listed at most. */
export const MOST_VIEWERS = 100

/** The upstreams as they are, and how many requests wait for a place. */
export interface Upstreams {
  instances: InstanceReport[]
  queued: number
}

/** The viewers that are connected the longest, and whether there are more. */
export interface Viewers {
  clients: ClientReport[]
  more: boolean
}

/** How the upstreams are. Throws an Error whose message is a sentence for a person. */
export async function askUpstreams(): Promise<Upstreams> {
  const { data, metadata } = await callServer<InstanceReport[]>('GET', '/scope/v1/upstreams')
  return { instances: data, queued: (metadata as { queued?: number } | undefined)?.queued ?? 0 }
}

/** Who watches. Throws an Error whose message is a sentence for a person. */
export async function askViewers(): Promise<Viewers> {
  const path = `/scope/v1/clients?limit=${MOST_VIEWERS}`
  const { data, metadata } = await callServer<ClientReport[]>('GET', path)
  return { clients: data, more: (metadata?.pagination?.next_cursor ?? null) !== null }
}
