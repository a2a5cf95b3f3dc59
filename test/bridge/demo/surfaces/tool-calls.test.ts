import { describe, expect, it } from 'vitest'
import { callTool } from '../../../../bridge/demo/surfaces/tool-calls.ts'

const argumentsFor = (parameters: unknown, prompt = 'Find 12 rivers of 3.5 km') =>
  JSON.parse(callTool({ name: 'f', parameters }, prompt).arguments)

describe('a call of a tool', () => {
  it('is made at once from a schema of very many properties', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `property${i}`)
    const properties = Object.fromEntries(names.map(name => [name, { type: 'boolean' }]))
    expect(Object.keys(argumentsFor({ properties, required: names })).length).toBe(names.length)
  })

  it('fits its schema: what is required, of the type that it has', () => {
    const properties = {
      text: { type: 'string' },
      count: { type: 'integer' },
      share: { type: ['number', 'null'] },
      sure: { type: 'boolean' },
      list: { type: 'array', items: { type: 'string' } },
      unit: { enum: ['km', 'miles'] },
      version: { const: 2 },
      place: { type: 'object', properties: { name: { type: 'string' } } },
      other: {},
      left: { type: 'string' },
    }
    const { left: _, ...needed } = properties
    expect(argumentsFor({ type: 'object', properties, required: Object.keys(needed) })).toEqual({
      text: 'Find 12 rivers of 3.5 km',
      count: 12,
      share: 12,
      sure: false,
      list: [],
      unit: 'km',
      version: 2,
      place: { name: 'Find 12 rivers of 3.5 km' },
      other: null,
    })
  })

  it('fills all properties where none is required, and numbers that nobody named', () => {
    const properties = {
      low: { type: 'integer', minimum: 4 },
      free: { type: 'number' },
      text: { type: 'string' },
    }
    expect(argumentsFor({ properties }, 'none')).toEqual({ low: 4, free: 0, text: 'none' })
  })

  it('has no arguments without a schema, and none without end', () => {
    for (const parameters of [undefined, null, 7, {}, { properties: [] }]) {
      expect(argumentsFor(parameters)).toEqual({})
    }
    const endless: Record<string, unknown> = { type: 'object' }
    endless.properties = { again: endless }
    expect(JSON.stringify(argumentsFor(endless)).match(/again/g)?.length).toBeLessThan(20)
  })

  it('does not repeat a long prompt as a whole, nor half a character', () => {
    const text = `${'x'.repeat(199)}🦉${'x'.repeat(100_000)}`
    const { q } = argumentsFor({ properties: { q: { type: 'string' } } }, text)
    expect(q).toHaveLength(200)
    expect(q.isWellFormed()).toBe(true)
  })

  it('has an id of its own', () => {
    const ids = Array.from({ length: 3 }, () => callTool({ name: 'f', parameters: null }, '', 'toolu_').id)
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^toolu_[0-9a-f]{24}$/)
  })
})
