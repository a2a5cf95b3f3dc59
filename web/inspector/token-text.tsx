import { visiblePieces } from '../invisible.ts'

/** A token's text in the mono face, with signs for what one would not see. */
export function TokenText({ text }: { text: string }) {
  if (text === '') return <span class="token-text token-empty">empty</span>
  return (
    <span class="token-text">
      {visiblePieces(text).map((piece, i) =>
        piece.sign ? (
          <span key={i} class="sign">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </span>
  )
}
