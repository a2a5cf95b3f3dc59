import type { ScanWarning } from '../source-tree.ts'
import { SourceReader } from './extract-file.ts'
import {
  type Extracted,
  type PackedExtractions,
  type PackedFiles,
  packExtractions,
  unpackFiles,
} from './packed-extractions.ts'

/** Reads files and finds what they import; one that cannot be read costs a note. This is what the threads of an `ExtractionPool` run. */
export function extractBatch(batch: PackedFiles): PackedExtractions {
  const reader = new SourceReader()
  return packExtractions(
    unpackFiles(batch).map((file): Extracted => {
      try {
        const extraction = reader.extract(batch.root, file)
        return { extraction, note: extraction.trouble }
      } catch (error) {
        return { extraction: null, note: unreadable(error as NodeJS.ErrnoException) }
      }
    }),
  )
}

function unreadable({ code, message }: NodeJS.ErrnoException): Pick<ScanWarning, 'code' | 'message'> {
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? {
        code: 'VANISHED_FILE',
        message: 'It was there when the folder was read and is gone; it counts as none.',
      }
    : { code: 'UNREADABLE_FILE', message: `It could not be read, and counts as none: ${code ?? message}.` }
}
