/** What `pnpm shm [DIR]` runs: the structural health of a source tree, as a score with its reasons. */
import { once } from 'node:events'
import { readShmCommand, type ShmConfig } from './config/shm-command.ts'
import { SHM_KEYS } from './events/config-keys.ts'
import { Assessor } from './health/shm/assess.ts'
import { Comparison } from './health/shm/comparison.ts'
import type { PasReport } from './health/shm/report.ts'
import { sayAs } from './health/shm/say/forms.ts'
import { Watch } from './health/shm/watch.ts'
import { assessLine } from './server/assess-line.ts'
import { programHelp } from './server/program-help.ts'
import { screenOf, writeOutput } from './server/program-output.ts'
import { runShortProgram } from './server/short-program.ts'

const HELP = {
  title: 'The structural health of a source tree: a score (PAS), why it is so, and what to fix first.',
  usage: 'pnpm shm [DIR] [options]',
  keys: SHM_KEYS,
  notes: [
    'DIR is the folder to score, this one if not named; a pas.config.json in it may name its parts.',
    'Without a form the report is for a person. It ends with 0, with 1 if --gate is not passed, with 2',
    'and a line that says why if there is no report to be had.',
  ],
}

const CLEAR_SCREEN = '\x1b[H\x1b[2J'

await runShortProgram(
  'shm',
  'there is no report.',
  async signal => {
    const command = readShmCommand()
    if (command.kind === 'start') return await shm(command.config, signal)
    await writeOutput(null, programHelp(HELP))
    return 0
  },
  { failed: 2 },
)

async function shm(config: ShmConfig, signal: AbortSignal): Promise<number> {
  const { folder, form, output, tests, threads } = config
  const assessor = new Assessor(folder, {
    tests,
    callerHelps: true,
    ...(threads === null ? {} : { threads }),
  })
  const comparison = new Comparison(assessor, { ...config, root: folder })
  const line = assessLine(process.stderr)
  const { isScreen, width } = screenOf(process.stdout)
  const isShown = isScreen && output === null
  const say = async (report: PasReport, before = '') => {
    const assessment = await comparison.of(report)
    const shape = { width, colour: isShown && config.colour, big: isShown }
    line.clear()
    await writeOutput(output, before + sayAs(form, assessment, shape))
    return assessment
  }
  try {
    if (config.watch) {
      await watch(assessor, folder, line.show, report => say(report, isShown ? CLEAR_SCREEN : ''), signal)
      return 0
    }
    const assessment = await say(await assessor.assess({ onProgress: line.show, signal }))
    if (config.writeBaseline && (await comparison.keep(assessment, new Date())))
      process.stderr.write(`  baseline written: ${comparison.file}\n`)
    if (!config.gate || assessment.verdict === null || assessment.verdict.passed) return 0
    if (form !== 'terminal' || output !== null)
      for (const { message } of assessment.verdict.failures) process.stderr.write(`shm: ${message}\n`)
    return 1
  } finally {
    line.clear()
    await assessor.stop()
  }
}

/** Says each report of a folder until it is told to stop. */
async function watch(
  assessor: Assessor,
  root: string,
  onProgress: ReturnType<typeof assessLine>['show'],
  say: (report: PasReport) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const onError = (message: string) => {
    process.stderr.write(`shm: ${message}\n`)
  }
  const watch = new Watch({ assessor, root, onProgress, onReport: say, onError })
  signal.addEventListener('abort', () => void watch.stop(), { once: true })
  try {
    await watch.start()
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    await watch.stop()
  }
}
