/** The time line of the session: what was when, and which moment is shown. */
export function TimeBar() {
  return null
}
