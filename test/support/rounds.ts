/**
 * How many rounds a soak or fault test runs: all of `full` in `pnpm test:long`, one in `part` in `pnpm test`.
 */
export function rounds(full: number, part = 20): number {
  return process.env.ROUNDS === 'full' ? full : Math.ceil(full / part)
}
