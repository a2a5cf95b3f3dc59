/** The way from a generation's token to its next one within a page; see record.ts. */
import {
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_NEXT,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  PAGE_CHUNKS,
} from './record.ts'

/** The place after the last token of a chunk. */
export function chunkEnd(chunks: Uint32Array, chunk: number): number {
  return ((chunk << CHUNK_BITS) + (chunks[chunk * CHUNK_WORDS + CHUNK_END] as number)) | 0
}

/** The place of the generation's next token after the one at `place`; if the page has none, a place without meaning. */
export function placeAfter(chunks: Uint32Array, place: number): number {
  const header = (place >>> CHUNK_BITS) * CHUNK_WORDS
  if ((place & (CHUNK_TOKENS - 1)) + 1 < (chunks[header + CHUNK_END] as number)) return place + 1
  const next = ((chunks[header + CHUNK_NEXT] as number) - 1) & (PAGE_CHUNKS - 1)
  return ((next << CHUNK_BITS) + (chunks[next * CHUNK_WORDS + CHUNK_FIRST] as number)) | 0
}
