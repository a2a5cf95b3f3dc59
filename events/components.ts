/** How a part of the runtime is: `degraded` still serves, `failed` does not. */
export type ComponentStatus = 'ok' | 'degraded' | 'failed'

/** One line of `/readyz`. `detail` is a sentence for a person; `facts` the same for a program. */
export interface ComponentReport {
  name: string
  status: ComponentStatus
  detail: string
  facts?: Record<string, unknown>
}

/** Answers how a part is now. Cheap and synchronous; asked at each `/readyz`. */
export type ComponentProbe = () => ComponentReport
