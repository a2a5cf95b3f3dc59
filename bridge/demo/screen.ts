/** What the demo server shows a person who starts it by itself. */
import { DIRECTIVE_NAMES, DIRECTIVES, FAULT_HEADER, formatFaults, parseFaults, usageOf } from './faults.ts'
import { SERVER_KINDS, type ServerKind } from './surface.ts'
import { DEMO_MODEL_NAME } from './surfaces/model-name.ts'

/** The vendors' names of the kinds, `demo` aside. */
const VENDORS: Readonly<Record<Exclude<ServerKind, 'demo'>, string>> = {
  lmstudio: 'LM Studio',
  llamacpp: 'llama.cpp',
  ollama: 'Ollama',
  vllm: 'vLLM',
}

/** One screen: where it listens and as whom, and how to ask it. `url` has no slash at its end. */
export function demoBanner(url: string, { kind, faults }: { kind: ServerKind; faults: string }): string {
  const as = kind === 'demo' ? 'with every surface at once' : `as ${VENDORS[kind]}`
  const kinds = SERVER_KINDS.filter(one => one !== 'demo').map(
    one => `    ${VENDORS[one].padEnd(12)}${url}/${one}/v1`,
  )
  const body = `{"stream":true,"messages":[{"role":"user","content":"Rivers?"}]}`
  const lines = [
    '',
    `  The demo model ${DEMO_MODEL_NAME} listens on ${url}`,
    `  ${as}.`,
    ...(faults === '' ? [] : [`  Every answer meets: ${formatFaults(parseFaults(faults))}`]),
    '',
    '  Base URLs, each with the habits of its server:',
    '',
    `    ${(kind === 'demo' ? 'any' : VENDORS[kind]).padEnd(12)}${url}/v1`,
    ...kinds,
    '',
    '  An answer that falls silent for two seconds, and breaks:',
    '',
    `    curl -N ${url}/vllm/v1/chat/completions \\`,
    `      -H '${FAULT_HEADER}: silence=2s@5,drop=3000' \\`,
    `      -d '${body}'`,
    '',
    '  --help lists what else can go wrong. Ctrl-C stops.',
    '',
    '',
  ]
  return lines.join('\n')
}

/** A line for each directive. */
export function directiveLines(): string[] {
  return DIRECTIVE_NAMES.map(name => `  ${usageOf(name).padEnd(26)}${DIRECTIVES[name].meaning}`)
}
