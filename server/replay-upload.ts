import { createReadStream } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import { pipeline } from 'node:stream/promises'
import { ERROR_CODES, type ErrorCode, reasonOf, TokenscopeError } from '../events/errors.ts'

export interface ReplayUpload {
  /** Where Tokenscope is, without a slash at its end. */
  url: string
  file: string
  /** Null for no limit. */
  speed: number | null
  /** Ends the connection, and with it the replay. */
  signal: AbortSignal
  /** Told how many bytes of the file were sent by now. */
  onSent?: (bytes: number) => void
}

/** An answer is a line or two. */
const MAX_ANSWER_CHARACTERS = 1_000_000

/**
 * Has a running Tokenscope play a file of recordings; resolves when it has.
 *
 * @returns ids of the generations that played them
 * @throws TokenscopeError what the server refused it with; DATA_FOLDER if none is there, or it broke off
 */
export async function uploadReplay({ url, file, speed, signal, onSent }: ReplayUpload): Promise<string[]> {
  const { request } = url.startsWith('https:') ? https : http
  const call = request(`${url}/scope/v1/replays?speed=${speed ?? 'unlimited'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    signal,
  })
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    call.once('response', resolve)
    call.once('error', reject)
  })
  let sent = 0
  const source = createReadStream(file)
  source.on('data', piece => {
    sent += piece.length
    onSent?.(sent)
  })
  // A server that refuses answers before all was sent, and may close: the answer says more than the broken pipe.
  const sending = pipeline(source, call).catch(() => {})
  try {
    const response = await answered
    return generationsOf(response.statusCode ?? 0, await textOf(response), url)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof TokenscopeError) throw error
    throw unreachable(url, error)
  } finally {
    call.destroy()
    source.destroy()
    await sending
  }
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const piece of response) if (text.length < MAX_ANSWER_CHARACTERS) text += piece
  return text
}

function generationsOf(status: number, text: string, url: string): string[] {
  let answer: { success?: unknown; data?: { generations?: unknown }; error?: unknown; error_code?: unknown }
  try {
    answer = JSON.parse(text)
  } catch {
    answer = {}
  }
  if (answer.success === true && Array.isArray(answer.data?.generations)) return answer.data.generations
  if (answer.success === false && typeof answer.error === 'string') {
    const code = Object.hasOwn(ERROR_CODES, String(answer.error_code)) ? answer.error_code : 'INTERNAL'
    throw new TokenscopeError(code as ErrorCode, answer.error)
  }
  throw new TokenscopeError(
    'DATA_FOLDER',
    `What answers at ${url} is no Tokenscope, or one that cannot replay: it said ${status}. Say with --url where it is.`,
  )
}

function unreachable(url: string, error: unknown): TokenscopeError {
  const { code } = error as NodeJS.ErrnoException
  const message =
    code === 'ECONNREFUSED'
      ? `No Tokenscope answers at ${url}. Start it with pnpm start, or say with --url where it is.`
      : `The connection to ${url} broke: ${reasonOf(error)}. What was played until then stays.`
  return new TokenscopeError('DATA_FOLDER', message, { cause: error })
}
