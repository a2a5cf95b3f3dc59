/** Globs as `path.matchesGlob` reads them, read once and asked often. */
import { matchesGlob } from 'node:path'

/** Whether a path, with `/`, is meant. */
export type PathTest = (path: string) => boolean

/** What `path.matchesGlob` reads in ways of its own; the rest is `*`, `**`, `?` and what stands for itself. */
const ELABORATE = /[[\]{}()\\]|(?:^|\/)\.{1,2}(?:\/|$)|\/\/|^\/|\/$|^$/

/**
 * The paths that a glob means: those for which `path.matchesGlob(path, glob)` is true on Linux, and, where the glob has no
 * wildcard, also everything in the folder that it names. `*` stands for any characters but `/`, `?` for one, `**` as a whole
 * step for any number of folders; a name that begins with a dot must be written out. Those are matched in time linear in
 * the path times the glob; brackets and braces are left to Node, which reads the glob anew for each path.
 */
export function globOf(glob: string): PathTest {
  if (ELABORATE.test(glob)) return path => matchesGlob(path, glob)
  if (!/[*?]/.test(glob)) {
    const below = `${glob}/`
    return path => path === glob || path.startsWith(below)
  }
  const steps = glob.split('/')
  const firstWild = steps.findIndex(step => /[*?]/.test(step))
  const literal = steps.slice(0, firstWild).join('/')
  const prefix = literal === '' ? '' : `${literal}/`
  const rest = steps.slice(firstWild)
  return path => path.startsWith(prefix) && stepsMatch(rest, path.slice(prefix.length).split('/'))
}

/**
 * Whether names match steps one by one. Going back only to the last `**` is enough: whatever an earlier one could take, the
 * later one can, too.
 */
function stepsMatch(steps: readonly string[], names: readonly string[]): boolean {
  let step = 0
  let name = 0
  let lastDeep = -1
  let deepTo = 0
  while (name < names.length) {
    if (steps[step] === '**') {
      lastDeep = step
      deepTo = name
      // At the end it needs something to stand for.
      if (step === steps.length - 1) return names.slice(name).every(isPlain)
      step++
    } else if (step < steps.length && nameMatches(steps[step] as string, names[name] as string)) {
      step++
      name++
    } else {
      if (lastDeep === -1 || !isPlain(names[deepTo] as string)) return false
      deepTo++
      step = lastDeep + 1
      name = deepTo
    }
  }
  return step === steps.length
}

/** Whether `*` and `**` may stand for the whole of it. */
function isPlain(name: string): boolean {
  return name !== '' && !name.startsWith('.')
}

function nameMatches(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false
  if (name === '') return false
  let at = 0
  let to = 0
  let lastStar = -1
  let starTo = 0
  while (to < name.length) {
    const sign = pattern[at]
    if (sign === '*') {
      lastStar = at++
      starTo = to
    } else if (sign !== undefined && (sign === '?' || sign === name[to])) {
      at++
      to++
    } else {
      if (lastStar === -1) return false
      at = lastStar + 1
      to = ++starTo
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
