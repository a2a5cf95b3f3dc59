import { describe, expect, it } from 'vitest'
import { COLORS } from '../../broadcast/protocol/view.ts'
import * as flow from '../../compositor/layout/flow-words.ts'
import { LANE_UNITS } from '../../compositor/layout/timeline.ts'
import { readShader } from '../../compositor/shader-files.ts'
import * as record from '../../compositor/tokens/record.ts'
import * as channels from '../../compositor/view/channels.ts'

/** What a shader says is constant, by name. */
function constantsOf(file: string): [name: string, value: number][] {
  const found = readShader(file).matchAll(/^const (\w+) = (0x[0-9a-f]+|\d+)u;/gm)
  return [...found].map(([, name, value]) => [name as string, Number(value)])
}

/** Constants of the twins, as shaders have them: a column is told by where it begins. */
const TWINS: Record<string, number> = {
  ...Object.fromEntries(
    Object.entries({ ...record, ...flow, ...channels }).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, value >>> 0]] : [],
    ),
  ),
  COLUMN_VALUES: record.COLUMN_VALUES * record.PAGE_TOKENS,
  COLUMN_TIMES: record.COLUMN_TIMES * record.PAGE_TOKENS,
  COLUMN_SHAPES: record.COLUMN_SHAPES * record.PAGE_TOKENS,
  LANE_UNITS,
  ...Object.fromEntries(COLORS.map((color, i) => [`COLOR_${color.toUpperCase()}`, i])),
}

describe.each([
  ['record.wgsl', 30],
  ['flow.wgsl', 18],
  ['channels.wgsl', 1],
  ['timeline.wgsl', 1],
  ['tiles.wgsl', 11],
])('constants of %s', (file, known) => {
  const constants = constantsOf(file)

  it('are those of the twins, where they have them', () => {
    const shared = constants.filter(([name]) => name in TWINS)
    expect(Object.fromEntries(shared)).toEqual(
      Object.fromEntries(shared.map(([name]) => [name, TWINS[name] as number])),
    )
    expect(shared.length).toBeGreaterThanOrEqual(known)
  })
})

it('record.wgsl has no other constants', () => {
  expect(constantsOf('record.wgsl').filter(([name]) => !(name in TWINS))).toEqual([])
})
