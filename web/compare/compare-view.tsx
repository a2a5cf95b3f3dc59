/** Generations side by side, token by token, and where they part. */
export function CompareView() {
  return null
}
