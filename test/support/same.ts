import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'

/** As `expect(actual).toEqual(expected)` for what is large: many times faster where they are the same. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
}
