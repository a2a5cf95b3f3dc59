import { countText, sizeText } from '../events/quantities.ts'
import type { RecordCounts } from '../store/backup/check-file.ts'
import type { CopyProgress } from '../store/backup/records-copy.ts'
import { ProgressLine, type ProgressOutput } from './progress-line.ts'

/** Shows how far a copy of records is. @param label what is going on, as `copying` */
export function copyProgress(
  output: ProgressOutput,
  label: string,
): { show: (progress: CopyProgress) => void; clear: () => void } {
  const line = new ProgressLine(output)
  return {
    show: progress => {
      if (progress.phase === 'check') line.begin(`checking the copy, ${sizeText(progress.total)}`)
      else line.show({ label, ...progress, text: sizeText, rate: perSecond => `${sizeText(perSecond)}/s` })
    },
    clear: () => line.clear(),
  }
}

/** What is in records, as `1 generation, 12 tokens`. */
export function countsText({ generations, tokens }: RecordCounts): string {
  return `${counted(generations, 'generation')}, ${counted(tokens, 'token')}`
}

function counted(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`
}
