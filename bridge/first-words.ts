import type { Prompt } from './page-prompt.ts'

const FIRST_PROMPT: Prompt = {
  messages: [{ role: 'user', content: 'What does an oscilloscope show?' }],
  parameters: { temperature: 0.7, max_tokens: 160 },
}

/**
 * Lets the demo model say something to the first viewer, so that an empty scope is not the first thing
 * that a person sees. Once, and only if nothing was said before and it is the demo model that speaks.
 */
export function firstWords(options: {
  generate: (prompt: Prompt) => unknown
  demo: () => boolean
  silent: () => boolean
}): (viewers: number) => void {
  let said = false
  return viewers => {
    if (said || viewers === 0 || !options.silent() || !options.demo()) return
    said = true
    options.generate(FIRST_PROMPT)
  }
}
