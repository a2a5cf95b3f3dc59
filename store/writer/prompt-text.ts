/**
 * What the user asked, of the body of a request in any of the forms that upstreams take: the text of the last
 * message of the user, or the prompt.
 *
 * @returns null where the body is no JSON, or no text is found in it
 */
export function promptText(body: Uint8Array): string | null {
  let request: unknown
  try {
    request = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  } catch {
    return null
  }
  if (!isObject(request)) return null
  const { messages, input, prompt } = request
  // Chats of OpenAI, Anthropic and Ollama; OpenAI's responses and LM Studio's chat; completions and generations.
  return lastOfUser(messages) ?? lastOfUser(input) ?? textOf(input) ?? textOf(prompt)
}

/** The text of the last message of the user in a list of messages. */
function lastOfUser(messages: unknown): string | null {
  if (!Array.isArray(messages)) return null
  for (const message of messages.toReversed()) {
    if (!isObject(message) || message.role !== 'user') continue
    const text = textOf(message.content)
    if (text !== null) return text
  }
  return null
}

/** Text that is a string, or several parts, each of which is one or holds one; null where there is none. */
function textOf(content: unknown): string | null {
  if (typeof content === 'string') return content
  if (Array.isArray(content)) {
    const texts = content.map(textOf).filter(text => text !== null)
    return texts.length === 0 ? null : texts.join('\n')
  }
  if (!isObject(content)) return null
  const { text, content: inner, prompt_string } = content
  for (const found of [text, inner, prompt_string]) if (typeof found === 'string') return found
  return null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
