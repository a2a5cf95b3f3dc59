import { describe, expect, it } from 'vitest'
import { DIMENSION_NAMES } from '../../../health/shm/baseline.ts'
import type { TreeStanding } from '../../../health/shm/tree-standing.ts'
import {
  counted,
  countWords,
  DIMENSIONS,
  scanWords,
  scoreSeries,
  scoreWords,
  shownText,
  statusTone,
} from '../../../web/structure/structure-words.ts'
import { pasReport } from '../../support/pas-report.ts'

const READY: TreeStanding = {
  root: '/a',
  state: 'ready',
  watching: true,
  progress: null,
  scanned_at: 1000,
  trouble: null,
  history: [],
}

describe('words for the structure of a tree', () => {
  it('has all dimensions, in the order of their weights', () => {
    expect(Object.keys(DIMENSIONS)).toEqual([...DIMENSION_NAMES])
  })

  it('never rounds a score up to what it is not', () => {
    expect([0.8999999, 0.9, 0.29, 1, 0, null].map(scoreWords)).toEqual([
      ...['0.899', '0.900', '0.290', '1.000', '0.000', '–'],
    ])
  })

  it('counts one and many', () => {
    expect([counted(1, 'file'), counted(0, 'file'), counted(12_345, 'file')]).toEqual([
      ...['1 file', '0 files', '12\u2009345 files'],
    ])
    expect(countWords(pasReport())).toBe('80 files · 10\u2009000 lines · 3 parts')
  })

  it('gives each status its tone', () => {
    expect((['healthy', 'warning', 'critical', null] as const).map(statusTone)).toEqual([
      ...['live', 'waiting', 'failed', 'quiet'],
    ])
  })

  it('says how far a scan is, or when there was one', () => {
    const say = (changes: Partial<TreeStanding>) => scanWords({ ...READY, ...changes }, 1012.4)
    expect(say({})).toBe('scanned 12 s ago · watching')
    expect(say({ watching: false })).toBe('scanned 12 s ago · not watching')
    expect(say({ scanned_at: 1012.4 - 3725 })).toBe('scanned 1 h ago · watching')
    expect(say({ scanned_at: 1012.4 - 90 })).toBe('scanned 1 min ago · watching')
    expect(say({ state: 'scanning' })).toBe('scanning')
    expect(say({ progress: { phase: 'scan', done: 4, total: null } })).toBe('looking for files: 4')
    expect(say({ progress: { phase: 'read', done: 1200, total: 3400 } })).toBe(
      '1\u2009200 of 3\u2009400 files read',
    )
    expect(say({ progress: { phase: 'read', done: 1, total: null } })).toBe('1 file read')
    expect(say({ state: 'failed', scanned_at: null })).toBe('not scanned')
  })

  it('shows of a name what one would not see, its spaces as they are, and of a long one the beginning', () => {
    expect(shownText('a b\u202ec\n.ts')).toBe('a b⟨U+202E⟩c↵.ts')
    expect(shownText('a·b')).toBe('a·b')
    expect(shownText('x'.repeat(100_000), 10)).toBe(`${'x'.repeat(10)}… and 99\u2009990 characters more`)
  })
})

describe('scores over time', () => {
  it('holds each until the next, and the last until now', () => {
    const history = [
      { at: 10, score: 0.5 },
      { at: 20, score: null },
      { at: 30, score: 0.7 },
    ]
    expect(scoreSeries(history, 40)).toEqual({
      times: [10, 19.999, 20, 29.999, 30, 40],
      values: [0.5, 0.5, null, null, 0.7, 0.7],
    })
    expect(scoreSeries(history.slice(0, 1), 10)).toEqual({ times: [10], values: [0.5] })
    expect(scoreSeries([], 40)).toEqual({ times: [], values: [] })
  })
})
