import { codePointsOf } from './character-names.ts'

/** Characters that are listed; a token has a few, but a chunk may have many. */
const MOST = 200

/** The characters of a token one by one, as Unicode numbers them; opened on request. */
export function CodePoints({ text }: { text: string }) {
  if (text === '') return null
  const bytes = new TextEncoder().encode(text).length
  const all = codePointsOf(text)
  return (
    <details class="code-points">
      <summary>
        {all.length} {all.length === 1 ? 'code point' : 'code points'}, {bytes}{' '}
        {bytes === 1 ? 'byte' : 'bytes'}
      </summary>
      <ol class="code-point-list">
        {all.slice(0, MOST).map(({ shown, code, name }, i) => (
          <li key={i}>
            <span class="code-point-shown">{shown}</span>
            <span class="code-point-code">{code}</span>
            <span class="code-point-name">{name}</span>
          </li>
        ))}
        {all.length > MOST ? <li class="note">and {all.length - MOST} more</li> : null}
      </ol>
    </details>
  )
}
