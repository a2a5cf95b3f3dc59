import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import { sizeText } from '../../events/quantities.ts'
import { ProgressLine, type ProgressOutput } from '../../server/progress-line.ts'

const MB = 1e6
const rate = (perSecond: number) => `${sizeText(perSecond)}/s`

/** A line on an output that is a terminal or not, by a clock of its own. */
function stage(isTTY: boolean, columns = 100) {
  const output: ProgressOutput = Object.assign(new PassThrough(), { isTTY, columns })
  let now = 0
  let written = ''
  output.on('data', data => {
    written += data
  })
  return {
    line: new ProgressLine(output, () => now),
    wait: (ms: number) => {
      now += ms
    },
    written: () => written.split('\r\x1b[2K').map(text => stripVTControlCharacters(text)),
  }
}

const copying = (done: number, total = 1000 * MB) => ({ label: 'copying', done, total, text: sizeText, rate })

it('is a bar with rate and time left on a terminal, drawn anew ten times a second', () => {
  const { line, wait, written } = stage(true)
  line.show(copying(0))
  wait(99)
  line.show(copying(10 * MB))
  wait(1901)
  line.show(copying(500 * MB))
  wait(100)
  line.show(copying(1000 * MB))
  line.clear()
  expect(written()).toEqual([
    '',
    `  copying  ${'━'.repeat(24)}  0 %   0 B of 1.00 GB`,
    `  copying  ${'━'.repeat(24)}  50 %   500 MB of 1.00 GB   250 MB/s   2 s left`,
    `  copying  ${'━'.repeat(24)}  100 %   1.00 GB of 1.00 GB   476 MB/s`,
    '',
  ])
})

it('begins anew with each thing that goes on', () => {
  const { line, wait, written } = stage(true)
  line.show(copying(10 * MB))
  wait(1000)
  line.begin('checking the copy')
  line.show({ ...copying(5 * MB, 10 * MB), label: 'again' })
  wait(1000)
  line.show({ ...copying(6 * MB, 10 * MB), label: 'again' })
  expect(written().slice(2)).toEqual([
    '  checking the copy',
    `  again  ${'━'.repeat(24)}  50 %   5.00 MB of 10.0 MB`,
    `  again  ${'━'.repeat(24)}  60 %   6.00 MB of 10.0 MB   1.00 MB/s   4 s left`,
  ])
})

it('has a shorter bar where there is less room', () => {
  const { line, wait, written } = stage(true, 80)
  line.show(copying(0))
  wait(2000)
  line.show(copying(500 * MB))
  expect(written().at(-1)).toBe(
    `  copying  ${'━'.repeat(20)}  50 %   500 MB of 1.00 GB   250 MB/s   2 s left`,
  )
})

it('never breaks a line of a narrow terminal', () => {
  for (const columns of [10, 40, 60]) {
    const { line, wait, written } = stage(true, columns)
    line.show(copying(0))
    wait(1000)
    line.show(copying(500 * MB))
    for (const text of written()) expect(text.length).toBeLessThan(columns)
  }
})

it('is plain lines elsewhere, one every five seconds, and leaves nothing to clear', () => {
  const { line, wait, written } = stage(false)
  for (let second = 0; second <= 10; second++) {
    line.show(copying(second * 100 * MB))
    wait(1000)
  }
  line.begin('checking the copy')
  line.clear()
  expect(written()).toEqual([
    '  copying: 0 %, 0 B of 1.00 GB\n' +
      '  copying: 50 %, 500 MB of 1.00 GB, 100 MB/s, 5 s left\n' +
      '  copying: 100 %, 1.00 GB of 1.00 GB, 100 MB/s\n' +
      '  checking the copy\n',
  ])
})

it('knows what nothing of nothing is', () => {
  const { line, written } = stage(false)
  line.show(copying(0, 0))
  expect(written()).toEqual(['  copying: 100 %, 0 B of 0 B\n'])
})
