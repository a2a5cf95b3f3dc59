/** What a word tells of what follows it: a value (after `await` and `typeof`, too), a statement, a condition in parentheses. */
export type KeywordRole =
  | 'import'
  | 'export'
  | 'require'
  | 'class'
  | 'condition'
  | 'statement'
  | 'infix'
  | 'await'
  | 'typeof'
  | 'value'

const WORDS: readonly (readonly [role: KeywordRole, words: string])[] = [
  ['import', 'import'],
  ['export', 'export'],
  ['require', 'require'],
  ['class', 'class'],
  ['condition', 'if for while with switch catch'],
  ['statement', 'else do'],
  ['infix', 'in instanceof'],
  ['await', 'await'],
  ['typeof', 'typeof'],
  ['value', 'return extends throw case delete default new of void yield'],
]

const LONGEST = 'instanceof'.length

const BY_INITIAL = Array.from({ length: 128 }, (_, code) =>
  WORDS.flatMap(([role, words]) => words.split(' ').map(word => ({ word, role }))).filter(
    ({ word }) => word.charCodeAt(0) === code,
  ),
)

/** The role of the word that reaches from `start` to `end`; null: none, as that of names. */
export function keywordAt(source: string, start: number, end: number): KeywordRole | null {
  const length = end - start
  const words = length > LONGEST ? undefined : BY_INITIAL[source.charCodeAt(start)]
  if (!words) return null
  for (const { word, role } of words)
    if (word.length === length && source.startsWith(word, start)) return role
  return null
}
