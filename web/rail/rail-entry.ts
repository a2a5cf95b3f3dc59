import { isFinal } from '../../events/generation.ts'
import type { Generation } from '../generation.ts'
import type { GenerationRecord, RecordsQuestion } from '../records-api.ts'

/** A generation in the list: held by the page, or known from the records, or both. */
export interface RailEntry {
  id: string
  generation: Generation | null
  record: GenerationRecord | null
}

/** What narrows the list; null: nothing. */
export interface RailFilter {
  /** As typed. */
  words: string
  /** A final state, or all that runs. */
  state: string | null
  model: string | null
}

/**
 * One list of what the page holds and what the records have: what runs first, then the newest.
 *
 * @param held live ones first, then the newest, each once
 * @param records as the records have them: in the order in which they came, the newest first, each once
 * @param find what the page holds of a record
 */
export function joinEntries(
  held: readonly Generation[],
  records: readonly GenerationRecord[],
  find: (id: string) => Generation | undefined,
): RailEntry[] {
  const read = new Map(records.map(record => [record.generation, record]))
  const running = new Set(held.filter(({ live }) => live))
  const entryOf = (generation: Generation): RailEntry => ({
    id: generation.id,
    generation,
    record: read.get(generation.id) ?? null,
  })
  const entries = [...running].map(entryOf)
  const alone = held.filter(({ live, id }) => !live && !read.has(id))
  let next = 0
  for (const record of records) {
    const generation = find(record.generation)
    if (generation !== undefined && running.has(generation)) continue
    // What was taken in from a file is as old as it is, but came when its neighbours did.
    while (record.origin !== 'import' && next < alone.length) {
      const one = alone[next] as Generation
      if (one.id < record.generation) break
      entries.push(entryOf(one))
      next++
    }
    entries.push(generation ? entryOf(generation) : { id: record.generation, generation: null, record })
  }
  for (; next < alone.length; next++) entries.push(entryOf(alone[next] as Generation))
  return entries
}

/**
 * Whether something that the page holds is what the filter asks for, as far as the page can tell.
 *
 * @param words whether its text is searched here, too; the records search theirs by themselves
 */
export function isWanted(generation: Generation, filter: RailFilter, words: boolean): boolean {
  const { state, model } = filter
  if (model !== null && generation.model !== model) return false
  if (state === 'live' ? !generation.live : state !== null && generation.state !== state) return false
  return !words || holdsWords(generation, filter.words)
}

/** Whether a record is of the state and the model that the filter asks for: those of the question before may not be. */
export function isListed(record: GenerationRecord, { state, model }: RailFilter): boolean {
  if (model !== null && record.model !== model) return false
  return state === 'live' ? !isFinal(record.state) : state === null || record.state === state
}

/** What the records are asked for. */
export function questionOf({ words, state, model }: RailFilter): RecordsQuestion {
  return { q: queryOf(words), state: state === 'live' ? 'generating' : state, model }
}

/**
 * What was typed as the records look for it: the last word may be unfinished, so that it is found while it is typed.
 * Null where nothing was.
 */
export function queryOf(words: string): string | null {
  const typed = words.trim()
  if (typed === '') return null
  const quotes = typed.split('"').length - 1
  const unfinished = quotes % 2 === 0 && /[\p{L}\p{N}]$/u.test(typed)
  return unfinished ? `${typed}*` : typed
}

/** What the records say of it, as was read last; null where nothing was. */
export function recordOf({ generation, record }: RailEntry): GenerationRecord | null {
  return generation?.record ?? record
}

/** Whether nothing more comes of it. */
export function isOver({ generation, record }: RailEntry): boolean {
  if (generation !== null) return !generation.live
  return record === null || isFinal(record.state)
}

/** Whether name, prompt, model or text hold all the words, beginnings of words included. */
function holdsWords(generation: Generation, words: string): boolean {
  const { text, model, record } = generation
  const said = [text, model, record?.name, record?.prompt, record?.note, ...(record?.tags ?? [])]
  const all = said.join('\n').toLowerCase()
  return termsOf(words).every(term => all.includes(term))
}

function termsOf(words: string): string[] {
  const terms = words.toLowerCase().matchAll(/"([^"]*)"?|([^\s"]+)/gu)
  return [...terms].map(([, phrase, word]) => phrase ?? (word as string).replace(/\*$/, ''))
}
