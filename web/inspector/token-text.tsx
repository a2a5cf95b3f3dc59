import { visiblePieces } from '../invisible.ts'
import { beginningOf } from '../long-text.ts'

/** UTF-16 units of a token that are shown: each may be a sign, which is an element of its own. */
const MOST = 1000

/** A token's text in the mono face, with signs for what one would not see. Of a very long one its beginning. */
export function TokenText({ text }: { text: string }) {
  if (text === '') return <span class="token-text token-empty">empty</span>
  const { shown, rest } = beginningOf(text, MOST)
  return (
    <span class="token-text">
      {visiblePieces(shown).map((piece, i) =>
        piece.sign ? (
          <span key={i} class="sign">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
      {rest === null ? null : <span class="sign"> {rest}</span>}
    </span>
  )
}
