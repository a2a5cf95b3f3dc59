import type { ComponentProbe, ComponentReport } from '../events/components.ts'

export interface Readiness {
  status: 'ready' | 'degraded' | 'not_ready'
  components: ComponentReport[]
}

/** Asks every component how it is: ready unless one of them has failed. */
export function readReadiness(probes: readonly ComponentProbe[]): Readiness {
  const components = probes.map(probe => probe())
  if (components.some(({ status }) => status === 'failed')) return { status: 'not_ready', components }
  if (components.some(({ status }) => status === 'degraded')) return { status: 'degraded', components }
  return { status: 'ready', components }
}
