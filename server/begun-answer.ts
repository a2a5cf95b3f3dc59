import type { BegunAnswer } from '../bridge/continuation.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { GenerationDetail, Records } from '../store/recording.ts'

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
 *   cannot be given back and for an answer that is not recorded from its beginning, RECORDS_UNAVAILABLE
 */
export async function begunAnswer(
  records: Pick<Records, 'get' | 'tokens'>,
  { generation, index, text }: Place,
): Promise<BegunAnswer> {
  if (text !== undefined && (!text.isWellFormed() || text.includes(REPLACEMENT))) {
    throw refusal('half a character cannot be given back as text', 'continue/text')
  }
  const detail = await records.get(generation)
  const said = await saidUpTo(records, detail, index)
  const asked = await askedFor(records, detail)
  return {
    generation,
    upstream: asked.upstream,
    target: asked.request?.target ?? '',
    body: asked.request?.body ?? null,
    text: said.before + (text ?? said.last),
    saidOther: said.other,
  }
}

/** A replay asked nobody: the request is that of what it plays, which may be a replay, too. Without it: the last known. */
async function askedFor(records: Pick<Records, 'get'>, detail: GenerationDetail): Promise<GenerationDetail> {
  const seen = new Set<string>()
  let asked = detail
  while (asked.request === null && asked.replay !== null && !seen.has(asked.generation)) {
    seen.add(asked.generation)
    const played = await records.get(asked.replay.of).catch(error => {
      if (error instanceof TokenscopeError && error.code === 'NOT_FOUND') return null
      throw error
    })
    if (played === null) break
    asked = played
  }
  return asked
}

/** What was said before a token, the token, and whether any of it was not the answer's text. */
async function saidUpTo(
  records: Pick<Records, 'tokens'>,
  { generation, tokens, complete }: GenerationDetail,
  index: number,
): Promise<{ before: string; last: string; other: boolean }> {
  const message = `Generation ${generation} has no token ${index}; ${tokens} are recorded.`
  const absent = new TokenscopeError('NOT_FOUND', message, { param: 'continue/index' })
  if (complete && tokens <= index) throw absent
  let before = ''
  let other = false
  let next = 0
  let cursor: string | null = null
  do {
    // Only the text is held: an answer may have a million tokens, each with its alternatives.
    const page = await records.tokens(generation, Math.min(PAGE, index + 1 - next), cursor)
    for (const token of page.items) {
      if (token.index !== next)
        throw refusal('some of its tokens up to that one are not recorded', 'continue/index')
      other ||= token.kind !== 'message'
      if (token.index === index) return { before, last: token.token_text, other }
      before += token.token_text
      next++
    }
    cursor = page.next
  } while (cursor !== null)
  throw absent
}

function refusal(why: string, param: string): TokenscopeError {
  return new TokenscopeError('NOT_CONTINUABLE', `This answer cannot be continued: ${why}.`, { param })
}
