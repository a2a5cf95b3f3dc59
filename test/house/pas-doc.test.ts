import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DIMENSION_NAMES } from '../../health/shm/baseline.ts'
import { checkedPasConfig } from '../../health/shm/scan/pas-config.ts'
import { PAS_CONFIG_SCHEMA } from '../../health/shm/scan/pas-config-schema.ts'
import { CALIBRATION, CALIBRATION_ID, calibrate, type Knots } from '../../health/shm/score/calibration.ts'
import { FORMULA_ID, meanOf, statusOf, WEIGHTS } from '../../health/shm/score/pas.ts'
import { cellsUnder, code, row, rowsUnder } from './doc-tables.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILE = 'pas.md'

const schema: { properties: Record<string, { default?: unknown; description?: string }> } = JSON.parse(
  JSON.stringify(PAS_CONFIG_SCHEMA),
)

describe('docs/pas.md and the code', () => {
  it('agree on the weights', async () => {
    const rows = (await cellsUnder('Dimensions', FILE)).map(([name, weight]) => [name, weight])
    expect(rows).toEqual(DIMENSION_NAMES.map(name => [name, (WEIGHTS[name] / 100).toFixed(2)]))
    expect(rows.reduce((sum, [, weight]) => sum + Number(weight), 0)).toBeCloseTo(1)
  })

  it('agree on the calibration', async () => {
    const rows = (await cellsUnder('Calibration', FILE)).map(([name, , bends]) => [name, bends])
    expect(rows).toEqual(
      Object.entries<Knots>(CALIBRATION).map(([name, knots]) => [
        name,
        knots.map(([x, y]) => `${x} → ${y}`).join(', '),
      ]),
    )
  })

  it('agree on the names and on what is healthy', async () => {
    const text = await readFile(join(ROOT, 'docs', FILE), 'utf8')
    for (const id of [FORMULA_ID, CALIBRATION_ID]) expect(text).toContain(`\`${id}\``)
    const borders = /of (0\.\d+) and above is `healthy`, of (0\.\d+) and above a `warning`/.exec(text)
    const [healthy, warning] = (borders ?? []).slice(1).map(Number) as [number, number]
    expect([healthy, healthy - 1e-9, warning, warning - 1e-9].map(statusOf)).toEqual([
      'healthy',
      'warning',
      'warning',
      'critical',
    ])
  })

  it('agree on the keys of pas.config.json, whose examples are good ones', async () => {
    const cells = await cellsUnder('pas.config.json', FILE)
    const examples = new Map(cells.map(([key, , , example]) => [key, example as string]))
    const rows = Object.entries(schema.properties).map(([key, { default: fallback, description = '' }]) =>
      row(
        code(key),
        code(fallback === undefined ? '' : JSON.stringify(fallback)),
        description,
        examples.get(code(key)) ?? 'an example',
      ),
    )
    expect(await rowsUnder('pas.config.json', FILE)).toEqual(rows.sort())
    for (const [key, example] of examples) {
      const config = JSON.parse(`{"${key?.replaceAll('`', '')}": ${example.replaceAll('`', '')}}`)
      expect(checkedPasConfig(config)).toEqual(config)
    }
  })

  it('tells a score of this project that follows from its dimensions', async () => {
    const cells = await cellsUnder("This project's own score", FILE)
    const told = new Map(
      cells.map(([name, raw, value]) => [name, { raw: Number(raw), value: Number(value) }]),
    )
    expect([...told.keys()]).toEqual([...DIMENSION_NAMES])
    for (const name of ['modularity', 'consistency', 'stability'] as const) {
      const { raw, value } = told.get(name) ?? { raw: 0, value: 0 }
      expect(calibrate(CALIBRATION[name], raw)).toBeCloseTo(value, 5)
    }
    const text = await readFile(join(ROOT, 'docs', FILE), 'utf8')
    const [score, structural] = (/PAS is (0\.\d+), .* without stability, (0\.\d+)\./.exec(text) ?? [])
      .slice(1)
      .map(Number)
    expect(meanOf(name => told.get(name)?.value ?? null)).toBeCloseTo(score as number, 5)
    expect(meanOf(name => (name === 'stability' ? null : (told.get(name)?.value ?? null)))).toBeCloseTo(
      structural as number,
      5,
    )
  })
})

describe('docs/pas.schema.json', () => {
  it('is the schema of pas.config.json', async () => {
    const { $schema, title, ...kept } = JSON.parse(await readFile(join(ROOT, 'docs/pas.schema.json'), 'utf8'))
    expect([$schema, title]).toEqual(['http://json-schema.org/draft-07/schema#', 'pas.config.json'])
    expect(kept).toEqual(schema)
  })
})
