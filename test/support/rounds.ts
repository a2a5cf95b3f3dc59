/**
 * How many rounds a soak or fault test runs: all of `full` in `pnpm test:long`, a twentieth in `pnpm test`.
 */
export function rounds(full: number): number {
  return import.meta.env.MODE === 'long' ? full : Math.ceil(full / 20)
}
