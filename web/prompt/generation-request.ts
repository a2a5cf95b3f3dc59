import { callServer } from '../server-api.ts'

/** What the page asks the server to generate: a prompt, or another end of an answer. */
export type GenerationRequest = PromptRequest | ContinuationRequest

export interface PromptRequest {
  messages: { role: 'system' | 'user'; content: string }[]
  model?: string
  temperature?: number
  seed?: number
  max_tokens?: number
  reasoning_effort?: string
}

export interface ContinuationRequest {
  continue: { generation: string; index: number; text?: string }
}

/** A generation that runs. */
export interface Started {
  id: string
  /** Parameters that its upstream was not told, having no name for them. */
  leftOut: readonly string[]
}

/** Starts a generation. Throws an Error whose message is a sentence for a person. */
export async function postGeneration(request: GenerationRequest): Promise<Started> {
  const { data, metadata } = await callServer<{ generation: string }>(
    'POST',
    '/scope/v1/generations',
    request,
  )
  const { left_out: leftOut = [] } = (metadata ?? {}) as { left_out?: string[] }
  return { id: data.generation, leftOut }
}
