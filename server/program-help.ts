import type { ConfigKey } from '../events/config-keys.ts'
import { optionLines } from '../events/option-lines.ts'

/** The help text of a program beside `pnpm start`. */
export function programHelp({
  title,
  usage,
  keys,
  notes,
}: {
  title: string
  usage: string
  keys: readonly ConfigKey[]
  notes: readonly string[]
}): string {
  return `${[title, '', `Usage: ${usage}`, '', ...optionLines(keys), `  ${'--help'.padEnd(26)}this text`, '', ...notes].join('\n')}\n`
}
