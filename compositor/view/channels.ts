/**
 * What a token's colour stands for, as a number, and what becomes of many of them in one cell. Shaders have the
 * same in shaders/channels.wgsl.
 */
import type { ColorName } from '../../broadcast/protocol/view.ts'
import {
  CHUNK_BITS,
  CHUNK_FIRST,
  CHUNK_INTERVAL,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_TIMES,
  COLUMN_VALUES,
  NO_INTERVAL,
  PAGE_TOKENS,
  UNKNOWN,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'

/** Channels of which a cell tells the mean. */
export type MeanChannel = 'confidence' | 'entropy' | 'interval'
export const MEAN_CHANNELS: readonly MeanChannel[] = ['confidence', 'entropy', 'interval']

/** The longest interval that is told, in ticks; a longer one counts as this. */
export const LONGEST_INTERVAL = 65_534

/** Words of a cell. */
export const CELL_WORDS = 4

/** Words of a generation's row in `TilesRequest.generations`. */
export const GENERATION_WORDS = 4
/** Its lane; 0xffffffff while it has none. */
export const GENERATION_LANE = 0
/** 1 if its tokens are counted, else 0. */
export const GENERATION_PASSES = 1
/** Index of its model plus 1; 0 for none. */
export const GENERATION_MODEL = 2
/** Where its panels begin in `TilesRequest.panels`. */
export const GENERATION_PANELS = 3

export function isMeanChannel(color: ColorName): color is MeanChannel {
  return MEAN_CHANNELS.includes(color as MeanChannel)
}

/**
 * A token's value in a channel: 0 … 65,534 in the channel's fixed point (an interval in ticks), or UNKNOWN.
 *
 * @param i the token's place in the page; there must be a token
 */
export function channelValue(
  page: Pick<TokenPage, 'records' | 'chunks'>,
  i: number,
  channel: MeanChannel,
): number {
  const { records } = page
  switch (channel) {
    case 'confidence':
      return (records[COLUMN_VALUES * PAGE_TOKENS + i] as number) & 0xffff
    case 'entropy':
      return (records[COLUMN_VALUES * PAGE_TOKENS + i] as number) >>> 16
    case 'interval':
      return intervalValue(page, i)
  }
}

/**
 * What a cell shows, from its words: of the mean channels the mean, rounded down; of `kind` the index of the most
 * frequent one (of equally frequent ones the first of message, reasoning, tool call); of `model` that of the
 * youngest generation; of `age` when its newest token came, in ms since the origin. Null where nothing is known.
 *
 * @param words as `sumTiles` gives them
 * @param at where the cell's words begin
 * @param generations as in the request that the words answer
 */
export function cellValue(
  words: Uint32Array,
  at: number,
  color: ColorName,
  generations: Uint32Array,
): number | null {
  const count = words[at] as number
  if (count === 0) return null
  const second = words[at + 1] as number
  switch (color) {
    case 'kind':
      return frequentKind(count, second, words[at + 2] as number)
    case 'model': {
      const model = generations[(second - 1) * GENERATION_WORDS + GENERATION_MODEL] as number
      return model === 0 ? null : model - 1
    }
    case 'age':
      return second - 1
    default: {
      if (second === 0) return null
      const sum = (words[at + 3] as number) * 2 ** 32 + (words[at + 2] as number)
      return Math.floor(sum / second)
    }
  }
}

/** 0 message, 1 reasoning, 2 tool call. */
export function frequentKind(count: number, reasoning: number, toolCalls: number): number {
  const messages = count - reasoning - toolCalls
  if (messages >= reasoning && messages >= toolCalls) return 0
  return reasoning >= toolCalls ? 1 : 2
}

function intervalValue({ records, chunks }: Pick<TokenPage, 'records' | 'chunks'>, i: number): number {
  const header = (i >>> CHUNK_BITS) * CHUNK_WORDS
  if ((i & (CHUNK_TOKENS - 1)) === chunks[header + CHUNK_FIRST]) {
    const interval = chunks[header + CHUNK_INTERVAL] as number
    return interval === NO_INTERVAL ? UNKNOWN : Math.min(interval, LONGEST_INTERVAL)
  }
  const at = COLUMN_TIMES * PAGE_TOKENS + i
  return Math.min((records[at] as number) - (records[at - 1] as number), LONGEST_INTERVAL)
}
