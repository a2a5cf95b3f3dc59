import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countText } from '../../events/quantities.ts'

test('a count has a comma at each three digits, as English has it', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), count => {
      expect(countText(count)).toBe(count.toLocaleString('en'))
    }),
  )
})
