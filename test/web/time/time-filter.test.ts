import { expect, it } from 'vitest'
import { MapLook } from '../../../web/map/map-look.ts'
import { narrowFrom, narrowTo } from '../../../web/time/time-filter.ts'

it('narrows to a stretch of time and back, and leaves what else the filter says', () => {
  const look = new MapLook()
  narrowTo(look, { since: 10, until: 20 })
  expect(look.filter.value).toEqual({ since: 10, until: 20 })
  narrowTo(look, null)
  expect(look.filter.value).toBe(null)
  look.filter.value = { models: ['m'], until: 5 }
  narrowTo(look, { since: 10 })
  expect(look.filter.value).toEqual({ models: ['m'], since: 10 })
  narrowTo(look, null)
  expect(look.filter.value).toEqual({ models: ['m'] })
})

it('never ends before it begins', () => {
  const look = new MapLook()
  narrowFrom(look, 'since', 10)
  narrowFrom(look, 'until', 20)
  expect(look.filter.value).toEqual({ since: 10, until: 20 })
  narrowFrom(look, 'since', 30)
  expect(look.filter.value).toEqual({ since: 30 })
  narrowFrom(look, 'until', 25)
  expect(look.filter.value).toEqual({ until: 25 })
})
