/** Texts of tokens, usual and hostile, and log entries made of them. */
import fc from 'fast-check'
import { mapPosition } from '../../compositor/layout/map.ts'
import { confidenceOf, entropyOf } from '../../events/confidence.ts'
import type { Alternative, LogEntry, TokenEntry, TokenKind } from '../../events/generation.ts'
import { codePoints } from './code-points.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'
import { between, oneOf, randomFrom } from './random.ts'

const WORDS = [
  'the',
  'oscilloscope',
  'of',
  'a',
  'language',
  'model',
  'const',
  'x',
  '=',
  '(',
  ')',
  'shows',
  'tokens,',
]

/** The text of one token as models give them in prose and code. */
export const usualText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...WORDS.map(word => ` ${word}`)) },
  { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 2, arbitrary: fc.constantFrom('ing', 's', '.', ',', '-', '/', '();', '"') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\n\n', '.\n', '\n    ', '\t', '  ', '    ') },
)

/** What is hard to lay out: joined emoji and their parts, marks, flags, right-to-left, wide, odd spaces, controls. */
export const HOSTILE_PARTS: readonly string[] = [
  ...['', ' ', '  ', '\t', '\t\t', '\n', '\n\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029'],
  ...[
    'a',
    'ab',
    'wordword',
    '-',
    '–',
    '—',
    '/',
    '--',
    '//',
    'a-b',
    '-a',
    '1/2',
    '.',
    '\u00a0',
    '\u202f',
    '\u2007',
  ],
  ...['漢', '漢字', '、', 'カ', 'ｶﾞ', '한', '한국어', '\u1112\u1161', '\u1112', '\u1161', '\u3000', 'Ａ'],
  ...[
    '🙂',
    '👩‍👩‍👧‍👦',
    '👩',
    '\u200d',
    '👧',
    '👍🏽',
    '\u{1f3fd}',
    '❤️',
    '❤',
    '\ufe0f',
    '1️⃣',
    '©',
    '🇩🇪',
    '🇩',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  ],
  ...['é', 'e\u0301', '\u0301', '\u0301\u0302\u0303', 'क्षि', 'क', '\u094d', 'ष', '\u093f', 'กำ', '\u0e33'],
  ...[
    'שלום',
    'مرحبا',
    '\u0600',
    '\u200f',
    '\u202e',
    '\u200b',
    '\ufeff',
    '\u00ad',
    '\u2003',
    '\0',
    '\x1b',
    '\x7f',
  ],
]

/** The text of one hostile token; halves of surrogate pairs among them. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...HOSTILE_PARTS) },
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...HOSTILE_PARTS), { maxLength: 6 }).map(parts => parts.join('')),
  },
  { weight: 4, arbitrary: usualText },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 400 }).map(length => 'w'.repeat(length)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }).map(length => ' '.repeat(length)) },
  { weight: 1, arbitrary: codePoints({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom('\ud83d', '\ude42', 'a\ud83d', '\ude42b') },
)

/** Tokens of one generation: usual, hostile, none at all, one, only line feeds, a word of 10,000 letters. */
export const hostileTexts: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 8, arbitrary: fc.array(hostileText, { maxLength: 60 }) },
  { weight: 4, arbitrary: fc.array(usualText, { maxLength: 120 }) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom('\n', '\r', '\r\n', ''), { maxLength: 40 }) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom('w', 'ww', ''), { maxLength: 300 }) },
  { weight: 1, arbitrary: hostileText.map(text => [text]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<string[]>([], ['w'.repeat(10_000)], ['a b ', 'w'.repeat(10_000), 'c'], ['']),
  },
)

export interface EntriesOptions {
  /** What the order of the generations' tokens, their times and logprobs are drawn from; 1 if not given. */
  seed?: number
  /** The first block of the map that is given; 0 if not given. 4,096 blocks are a page of the compositor. */
  firstBlock?: number
  /** Whether each generation is told to be done after its last token. */
  final?: boolean
  /** Seq of the first entry; 1 if not given. */
  firstSeq?: number
  /** Unix seconds before the first token; 1,750,000,000.1234 if not given. */
  began?: number
}

/**
 * The log's entries of generations `g0`, `g1`, …, told side by side: `texts[i]` are the tokens of `g<i>`. Each is
 * begun with a state that names its model, `m<i % 3>`; cells are given as the log gives them.
 */
export function entriesOf(texts: readonly (readonly string[])[], options: EntriesOptions = {}): LogEntry[] {
  const { seed = 1, firstBlock = 0, final = true, firstSeq = 1, began = 1_750_000_000.1234 } = options
  const random = randomFrom(seed)
  const entries: LogEntry[] = []
  const cells = cellsFrom(firstBlock)
  let seq = firstSeq
  let time = began
  const going = texts.map((tokens, i) => ({ id: `g${i}`, tokens, model: `m${i % 3}`, next: 0 }))
  for (const { id, model } of going) entries.push({ seq: seq++, ...stateEvent(id, 'generating', { model }) })
  let open = going
  while (open.length > 0) {
    const one = oneOf(random, open)
    // Models write in bursts.
    for (let burst = between(random, 1, 12); burst > 0 && one.next < one.tokens.length; burst--) {
      time += random() * 0.03
      const index = one.next++
      const cell = cells(one.id)
      entries.push(tokenEntry(one.id, index, one.tokens[index] as string, { seq: seq++, cell, time, random }))
    }
    if (one.next < one.tokens.length) continue
    if (final) entries.push({ seq: seq++, ...stateEvent(one.id, 'done', { model: one.model }) })
    open = open.filter(other => other !== one)
  }
  return entries
}

/** Gives cells as the log does, of blocks from `firstBlock` on. */
export function cellsFrom(firstBlock: number): (generation: string) => number {
  let nextBlock = firstBlock
  const open = new Map<string, { start: number; used: number }>()
  return generation => {
    let block = open.get(generation)
    if (block === undefined || block.used === 256) {
      block = { start: nextBlock++ * 256, used: 0 }
      open.set(generation, block)
    }
    return block.start + block.used++
  }
}

interface EntryTraits {
  seq: number
  cell: number
  /** Unix seconds. */
  time: number
  random: () => number
}

/** One token's entry: kind, logprob and alternatives at random, some of them not known. */
export function tokenEntry(generation: string, index: number, text: string, traits: EntryTraits): TokenEntry {
  const { seq, cell, time, random } = traits
  const logprob = random() < 0.2 ? null : Math.log(1 - random() * 0.999)
  const top: Alternative[] = []
  for (let i = random() < 0.4 ? 0 : between(random, 0, 5); i > 0; i--) {
    top.push({ text: `alternative ${i}`, logprob: Math.log(1 - random() * 0.999) - 1 })
  }
  return {
    ...tokenEvent(generation, index, text),
    seq,
    kind: oneOf<TokenKind>(random, ['message', 'message', 'reasoning', 'tool_call']),
    timestamp: Math.round(time * 10_000) / 10_000,
    position: mapPosition(cell),
    logprob,
    confidence: confidenceOf(logprob),
    entropy: entropyOf(top),
    top,
  }
}
