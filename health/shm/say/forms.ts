import type { Assessment } from './assessment.ts'
import { sayDebug } from './debug.ts'
import { sayDot } from './dot.ts'
import { sayHtml } from './html.ts'
import { sayJson } from './json.ts'
import { sayMermaid } from './mermaid.ts'
import { saySarif } from './sarif.ts'
import { sayTerminal, type TerminalShape } from './terminal.ts'

/** How a report can be written. */
export const FORMS = ['terminal', 'json', 'sarif', 'html', 'dot', 'mermaid', 'debug'] as const

export type Form = (typeof FORMS)[number]

const SAY: Record<Exclude<Form, 'terminal'>, (assessment: Assessment) => string> = {
  json: sayJson,
  sarif: saySarif,
  html: sayHtml,
  dot: sayDot,
  mermaid: sayMermaid,
  debug: sayDebug,
}

/** What is written of an assessment in a form, with a line feed at its end. @param shape of the terminal, for that form */
export function sayAs(form: Form, assessment: Assessment, shape: TerminalShape): string {
  return form === 'terminal' ? sayTerminal(assessment, shape) : SAY[form](assessment)
}
