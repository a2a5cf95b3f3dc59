import type { PromptRequest } from './generation-request.ts'

/** What a person sets beside the prompt, as it is written; empty leaves it to the server. */
export interface PromptSettings {
  model: string
  /** A second model that is asked the same; empty: none is. */
  other: string
  system: string
  temperature: string
  seed: string
  maxTokens: string
  reasoning: string
}

export const NOTHING_SET: PromptSettings = {
  ...{ model: '', other: '', system: '', temperature: '', seed: '', maxTokens: '', reasoning: '' },
}

/** How much a model can be asked to think before it answers, as the server takes it and as a person reads it. */
export const REASONING_WORDS: readonly [effort: string, words: string][] = [
  ['none', 'off'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
]

/**
 * The requests for a prompt: one, or one for each of two models. A model that is not listed, as one of another
 * server that was here before, is not asked for.
 */
export function requestsOf(
  text: string,
  settings: PromptSettings,
  models: readonly string[],
): PromptRequest[] {
  const { system, temperature, seed, maxTokens, reasoning } = settings
  const request: PromptRequest = { messages: [{ role: 'user', content: text }] }
  if (system.trim() !== '') request.messages.unshift({ role: 'system', content: system })
  if (temperature !== '') request.temperature = Number(temperature)
  if (seed !== '') request.seed = Number(seed)
  if (maxTokens !== '') request.max_tokens = Number(maxTokens)
  if (reasoning !== '') request.reasoning_effort = reasoning
  const { model, other } = listedModels(settings, models)
  return [model, ...(other === '' ? [] : [other])].map(name =>
    name === '' ? request : { ...request, model: name },
  )
}

/** The models that are asked for: those that are listed now. */
export function listedModels(
  { model, other }: PromptSettings,
  models: readonly string[],
): { model: string; other: string } {
  const listed = (name: string) => (models.includes(name) ? name : '')
  return { model: listed(model), other: listed(other) }
}

/** What is set, in few words. */
export function summaryOf(settings: PromptSettings, models: readonly string[]): string[] {
  const { system, temperature, seed, maxTokens, reasoning } = settings
  const { model, other } = listedModels(settings, models)
  const only = models.length === 1 ? models[0] : undefined
  const first = model === '' ? (only ?? 'server’s choice') : model
  const words = [other === '' ? first : other === first ? `${first} twice` : `${first} and ${other}`]
  words.push(temperature === '' ? 'temperature auto' : `temperature ${temperature}`)
  if (seed !== '') words.push(`seed ${seed}`)
  if (maxTokens !== '') words.push(`at most ${maxTokens} ${maxTokens === '1' ? 'token' : 'tokens'}`)
  const thought = REASONING_WORDS.find(([effort]) => effort === reasoning)
  if (thought !== undefined) words.push(`reasoning ${thought[1]}`)
  if (system.trim() !== '') words.push('system prompt')
  return words
}

/** Reads settings that were remembered; what is not as it must be is not set. */
export function readSettings(saved: string | null): PromptSettings {
  let found: unknown
  try {
    found = JSON.parse(saved ?? '{}')
  } catch {}
  const settings = { ...NOTHING_SET }
  if (typeof found !== 'object' || found === null) return settings
  for (const name of Object.keys(settings) as (keyof PromptSettings)[]) {
    const value = (found as Record<string, unknown>)[name]
    if (typeof value === 'string') settings[name] = value
  }
  const { reasoning } = settings
  if (!REASONING_WORDS.some(([effort]) => effort === reasoning)) settings.reasoning = ''
  return settings
}
