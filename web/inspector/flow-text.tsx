import { beginningOf } from '../long-text.ts'

/** UTF-16 units of one token that are read in its place: an answer that came whole is one token, and rarely longer. */
const MOST = 10_000

/** The text of a token where it is read with its neighbours. Of a very long one its beginning. */
export function FlowText({ text }: { text: string }) {
  const { shown, rest } = beginningOf(text, MOST)
  if (rest === null) return shown
  return (
    <>
      {shown}
      <span class="sign"> {rest} </span>
    </>
  )
}
