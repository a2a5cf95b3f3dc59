import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkSame, componentsIn } from '../../../bench/shm/comparison.ts'
import { editsOf } from '../../../bench/shm/edits.ts'
import { expectedOf, planMixedTree } from '../../../bench/shm/mixed-tree.ts'
import { ownGraph } from '../../../bench/shm/own-graph.ts'
import { writeTree } from '../../../bench/shm/tree-folder.ts'
import { Assessor } from '../../../health/shm/assess.ts'
import type { PasReport } from '../../../health/shm/report.ts'

const FILES = 1200

describe('a made-up tree', () => {
  const tree = planMixedTree(FILES)
  const { graph, counts } = expectedOf(tree)
  let root: string
  let report: PasReport

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'mixed-'))
    writeTree(tree, root)
    const assessor = new Assessor(root)
    report = await assessor.assess()
    await assessor.stop()
  })

  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it('has as many files as asked for, in all languages, and cycles', () => {
    expect(tree.files).toHaveLength(FILES)
    const endings = new Set(tree.files.map(({ path }) => path.slice(path.lastIndexOf('.'))))
    expect([...endings].sort()).toEqual(
      ['.c', '.cjs', '.cpp', '.go', '.h', '.hpp', '.js', '.py', '.rs', '.ts', '.tsx'].sort(),
    )
    expect(componentsIn(graph).length).toBeGreaterThan(0)
  })

  it('is the same one each time, and another one by another seed', () => {
    const texts = (seed: number) => [...planMixedTree(200, seed).contents()]
    expect(texts(1)).toEqual(texts(1))
    expect(texts(1)).not.toEqual(texts(2))
  })

  it('is found as it is planned, import by import', async () => {
    const { components } = checkSame(await ownGraph(root), graph, ['the scan', 'the plan'])
    expect(components).toBe(report.sccs.length)
  })

  it('is counted as it is planned', () => {
    const edges = [...graph.values()].reduce((sum, { size }) => sum + size, 0)
    expect(report.counts).toMatchObject({
      files: FILES,
      edges,
      type_only: counts.type,
      dynamic: counts.dynamic,
      external: counts.outside,
      unresolved: counts.missing,
    })
    expect(report.sccs.map(({ files }) => files)).toEqual(componentsIn(graph))
    expect(report.warnings.map(({ code }) => code)).toEqual(['NO_GIT'])
    expect(report.subsystems.length).toBeGreaterThan(FILES / 100)
  })

  it('has edits that close cycles, and others that close none', () => {
    const { content, moved, imports } = editsOf(tree, 4)
    expect([content.length, moved.length, imports.length]).toEqual([8, 8, 8])
    const before = report.counts.files_in_cycles
    const added = imports
      .filter(({ before: text }) => text !== undefined)
      .map(({ inCycles }) => inCycles > before)
    expect(added).toEqual([false, true, false, true])
  })
})
