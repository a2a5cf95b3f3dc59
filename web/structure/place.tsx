import { shownText } from './structure-words.ts'

interface Props {
  file: string
  line?: number
}

/** A file, and a line of it. */
export function Place({ file, line }: Props) {
  return (
    <bdi class="place">
      {shownText(file)}
      {line === undefined ? null : `:${line}`}
    </bdi>
  )
}
