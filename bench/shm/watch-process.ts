/**
 * A process that scores a folder again and again while files of it are edited: by `Assessor`, told what changed, and by `Watch`,
 * which finds out for itself.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Assessor } from '../../health/shm/assess.ts'
import type { PasReport } from '../../health/shm/report.ts'
import { Watch } from '../../health/shm/watch.ts'
import { answer } from '../children.ts'

/** A file and what is put around its content; nothing puts it back as it was. */
export interface Edit {
  path: string
  before?: string
  after?: string
}

export interface Edited {
  /** From the write of the file to the new report. */
  ms: number
  edges: number
  inCycles: number
}

/** What is edited, and how files were before that. */
let root = ''
const originals = new Map<string, string>()
let assessor: Assessor | null = null
let watch: Watch | null = null
let told: ((report: PasReport) => void) | null = null

answer({
  async open(folder: string) {
    root = folder
    assessor = new Assessor(root)
    return seen(await assessor.assess(), performance.now())
  },
  /** Edits, and asks for the report with what changed. */
  async assess(edit: Edit) {
    const begun = write(edit)
    return seen(await (assessor as Assessor).assess({ changed: [edit.path] }), begun)
  },
  async watch() {
    const onError = (message: string) => process.stderr.write(`${message}\n`)
    const onReport = (report: PasReport) => told?.(report)
    watch = new Watch({ assessor: assessor as Assessor, root, onReport, onError })
    await watch.start()
  },
  /** Edits, and waits for the report of it. */
  async hear(edit: Edit) {
    const report = new Promise<PasReport>(resolve => {
      told = resolve
    })
    const begun = write(edit)
    return seen(await report, begun)
  },
  async close() {
    await watch?.stop()
    await assessor?.stop()
  },
})

function write({ path, before = '', after = '' }: Edit): number {
  const full = join(root, path)
  const original = originals.get(path) ?? readFileSync(full, 'utf8')
  originals.set(path, original)
  const begun = performance.now()
  writeFileSync(full, before + original + after)
  return begun
}

function seen({ counts }: PasReport, begun: number): Edited {
  return { ms: performance.now() - begun, edges: counts.edges, inCycles: counts.files_in_cycles }
}
