import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { assessLine } from '../../server/assess-line.ts'

/** A line on an output of one's own, and a clock that is set by hand. */
function stage(isTTY: boolean) {
  const clock = { ms: 0 }
  const output = Object.assign(new PassThrough(), { isTTY, columns: 80 })
  const line = assessLine(output, () => clock.ms)
  const written = () => {
    let text = ''
    for (let piece = output.read(); piece !== null; piece = output.read()) text += piece
    return stripVTControlCharacters(text)
  }
  return { line, clock, written }
}

describe('the progress of an assessment', () => {
  it('is not told to a person before they wonder, nor at all if it is quick', () => {
    const { line, clock, written } = stage(true)
    line.show({ phase: 'scan', done: 10, total: null })
    clock.ms = 299
    line.show({ phase: 'read', done: 10, total: 20 })
    line.clear()
    expect(written()).toBe('')
  })

  it('is told in two steps', () => {
    const { line, clock, written } = stage(true)
    line.show({ phase: 'scan', done: 0, total: null })
    clock.ms = 400
    line.show({ phase: 'scan', done: 100, total: null })
    line.show({ phase: 'scan', done: 200, total: null })
    expect(written()).toBe('\r  looking for source files')
    clock.ms = 1000
    line.show({ phase: 'read', done: 500, total: 20_000 })
    clock.ms = 2000
    line.show({ phase: 'read', done: 10_500, total: 20_000 })
    expect(written()).toMatch(/reading .* 52 % {3}10,500 files of 20,000 files {3}10,000\/s {3}1 s left$/)
    line.clear()
    expect(written()).toBe('\r')
    // It begins anew.
    line.show({ phase: 'read', done: 1, total: 2 })
    expect(written()).toBe('')
  })

  it('is told to a log only if it takes long', () => {
    const { line, clock, written } = stage(false)
    line.show({ phase: 'scan', done: 0, total: null })
    clock.ms = 4000
    line.show({ phase: 'read', done: 1, total: 20_000 })
    expect(written()).toBe('')
    clock.ms = 5000
    line.show({ phase: 'read', done: 9000, total: 20_000 })
    expect(written()).toBe('  reading: 45 %, 9,000 files of 20,000 files\n')
  })
})
