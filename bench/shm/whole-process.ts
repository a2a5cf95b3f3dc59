/** Programs as a person runs them: from the start of the process until it has ended and its output is complete. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { NODE_FLAGS } from '../../test/support/program.ts'
import { tie } from '../children.ts'

const MIB_OF_KIB = 1 / 1024
const PEAK = /^VmHWM:\s+(\d+) kB$/m
const WITH_PEAK = ['--import', pathToFileURL(join(import.meta.dirname, 'peak-memory.ts')).href]
const ROOT = join(import.meta.dirname, '../..')

export interface Ended {
  ms: number
  code: number | null
  output: string
  errors: string
}

/**
 * Runs Node with these arguments. Output goes to a file, since madge ends before a pipe has taken all of its output.
 *
 * @param options.into the folder that the output is put into
 */
export async function runNode(
  args: readonly string[],
  { cwd, into }: { cwd: string; into: string },
): Promise<Ended> {
  const path = join(into, 'output')
  const file = openSync(path, 'w')
  const begun = performance.now()
  let errors = ''
  try {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', file, 'pipe'] })
    tie(child)
    child.stderr?.on('data', data => {
      errors += data
    })
    const [code] = await once(child, 'close')
    const ms = performance.now() - begun
    return { ms, code: code as number | null, output: readFileSync(path, 'utf8'), errors }
  } finally {
    closeSync(file)
  }
}

/** What is asked of a report here. */
export interface ScannedReport {
  score: number | null
  counts: Record<'files' | 'edges' | 'files_in_cycles' | 'unresolved' | 'external' | 'type_only', number>
  sccs: { files: string[] }[]
  duration_ms: number
}

export interface Scan {
  ms: number
  /** The most memory that the process had, its threads included; null if that was not asked for. */
  peakMib: number | null
  report: ScannedReport
}

/**
 * `pnpm shm --json` of a folder, as the script of package.json runs it.
 *
 * @param options.peak whether its memory is told, which makes it a little slower
 * @throws Error if it fails
 */
export async function scan(
  root: string,
  { into, flags = [], peak = false }: { into: string; flags?: readonly string[]; peak?: boolean },
): Promise<Scan> {
  const program = [...NODE_FLAGS, ...(peak ? WITH_PEAK : []), join(ROOT, 'shm.ts')]
  const { ms, code, output, errors } = await runNode([...program, '--json', ...flags, root], {
    cwd: ROOT,
    into,
  })
  if (code !== 0) throw new Error(`pnpm shm of ${root} ended with ${code}: ${errors}`)
  const peakMib = peak ? Number(errors.match(PEAK)?.[1]) * MIB_OF_KIB : null
  if (Number.isNaN(peakMib)) throw new Error(`pnpm shm told no memory: ${errors}`)
  return { ms, peakMib, report: JSON.parse(output) }
}
