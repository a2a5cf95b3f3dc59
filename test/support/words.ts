/** Where two arrays are not the same: the first places, and what stands there. Empty if they are. */
export function differences(found: ArrayLike<number>, expected: ArrayLike<number>): string[] {
  if (found.length !== expected.length) return [`${found.length} words, not ${expected.length}`]
  const told: string[] = []
  for (let i = 0; i < expected.length && told.length < 5; i++) {
    if (found[i] !== expected[i]) told.push(`${i}: ${found[i]}, not ${expected[i]}`)
  }
  return told
}
