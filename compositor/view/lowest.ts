/** The first of `0 … length - 1` for which something holds that holds for all after it; `length` if none. */
export function lowest(length: number, holds: (i: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
