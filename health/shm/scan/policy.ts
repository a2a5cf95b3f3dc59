/** What of a tree is scored; a report prints it, since scores by different policies do not compare. */
import type { PasConfig } from './pas-config.ts'

/** Type-only imports are always out, dynamic ones always in. */
export interface Policy {
  /** Whether tests are scored, too. */
  tests: boolean
}

/** The policy that was asked for: what the caller says, or else what `pas.config.json` says. */
export function policyOf(options: { tests: boolean; config: PasConfig | null }): Policy {
  return { tests: options.tests || options.config?.include_tests === true }
}
