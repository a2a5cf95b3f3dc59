import type { BegunAnswer } from '../bridge/continuation.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { GenerationDetail, RecordedToken, Records } from '../store/recording.ts'

const PAGE = 10_000
/** Stands in a text for bytes that are no character. */
const REPLACEMENT = '\ufffd'

/** What is to be gone on with: the answer up to and with a token, or with other words in the token's place. */
export interface Place {
  generation: string
  index: number
  text?: string | undefined
}

/**
 * Reads from the records what is needed to go on from a token.
 *
 * @throws TokenscopeError NOT_FOUND for a generation or a token that is not recorded, NOT_CONTINUABLE for words that
 *   cannot be given back, RECORDS_UNAVAILABLE
 */
export async function begunAnswer(
  records: Pick<Records, 'get' | 'tokens'>,
  { generation, index, text }: Place,
): Promise<BegunAnswer> {
  if (text?.includes(REPLACEMENT)) {
    const message = 'This answer cannot be continued: half a character cannot be given back as text.'
    throw new TokenscopeError('NOT_CONTINUABLE', message, { param: 'continue/text' })
  }
  const detail = await records.get(generation)
  if (detail.tokens <= index) {
    const message = `Generation ${generation} has no token ${index}; ${detail.tokens} are recorded.`
    throw new TokenscopeError('NOT_FOUND', message, { param: 'continue/index' })
  }
  const asked = await askedFor(records, detail)
  const tokens = await firstTokens(records, generation, index + 1)
  const kept = text === undefined ? tokens : tokens.slice(0, index)
  return {
    generation,
    upstream: asked.upstream,
    target: asked.request?.target ?? '',
    body: asked.request?.body ?? null,
    text: kept.map(token => token.token_text).join('') + (text ?? ''),
    saidOther: tokens.some(({ kind }) => kind !== 'message'),
  }
}

/** A replay asked nobody: the request is that of what it plays. */
async function askedFor(records: Pick<Records, 'get'>, detail: GenerationDetail): Promise<GenerationDetail> {
  if (detail.request !== null || detail.replay === null) return detail
  return await records.get(detail.replay.of)
}

async function firstTokens(
  records: Pick<Records, 'tokens'>,
  generation: string,
  count: number,
): Promise<RecordedToken[]> {
  const tokens: RecordedToken[] = []
  let cursor: string | null = null
  do {
    const limit = Math.min(PAGE, count - tokens.length)
    const page = await records.tokens(generation, limit, cursor)
    tokens.push(...page.items)
    cursor = page.next
  } while (cursor !== null && tokens.length < count)
  return tokens
}
