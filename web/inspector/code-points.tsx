import { codePointsOf, countOf } from './character-names.ts'

/** Characters that are listed; a token has a few, but a chunk may have many. */
const MOST = 200

/** The characters of a token one by one, as Unicode numbers them; opened on request. */
export function CodePoints({ text }: { text: string }) {
  if (text === '') return null
  const bytes = new TextEncoder().encode(text).length
  const count = countOf(text)
  return (
    <details class="code-points">
      <summary>
        {count} {count === 1 ? 'code point' : 'code points'}, {bytes} {bytes === 1 ? 'byte' : 'bytes'}
      </summary>
      <ol class="code-point-list">
        {codePointsOf(text, MOST).map(({ shown, code, name }, i) => (
          <li key={i}>
            <span class="code-point-shown">{shown}</span>
            <span class="code-point-code">{code}</span>
            <span class="code-point-name">{name}</span>
          </li>
        ))}
        {count > MOST ? <li class="note">and {count - MOST} more</li> : null}
      </ol>
    </details>
  )
}
