/**
 * The essays that the demo model learns from, written for it, in `corpus/`.
 *
 * A file holds passages, two blank lines apart; a passage holds paragraphs, one blank line apart. A passage
 * is what the model learns to write from beginning to end. In `questions.txt` the first paragraph of each is
 * a request and the rest is its answer.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What stands before a passage: two passages apart in a file, a request and its answer in the model. */
export const PASSAGE_BREAK = '\n\n\n'

/** Something to learn from: a text, and what it answers ('' for an essay). */
export interface Passage {
  request: string
  text: string
}

/**
 * The passages of the demo's essays, in the order of file names. Reads synchronously, about 65 KB.
 * Throws the file system's error if the folder is missing.
 */
export function readCorpus(folder: string = join(import.meta.dirname, 'corpus')): Passage[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.txt'))
    .sort()
    .flatMap(name => parsePassages(readFileSync(join(folder, name), 'utf8'), name === 'questions.txt'))
}

/** The passages of a file's text, trimmed, none empty; `answering` if each begins with a request. */
export function parsePassages(source: string, answering: boolean): Passage[] {
  return source
    .replaceAll('\r\n', '\n')
    .split(/\n{3,}/)
    .map(passage => passage.trim())
    .filter(passage => passage !== '')
    .map(passage => {
      const border = answering ? passage.indexOf('\n\n') : -1
      if (border === -1) return { request: '', text: passage }
      return { request: passage.slice(0, border), text: passage.slice(border + 2) }
    })
}
