/** What `pnpm replay FILE` runs: a file of recordings is played into a running Tokenscope. */
import { createReadStream, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ReplayConfig, readReplayCommand } from './config.ts'
import { REPLAY_KEYS } from './events/config-keys.ts'
import { TokenscopeError } from './events/errors.ts'
import { durationText, sizeText } from './events/quantities.ts'
import { serverOf } from './server/data-folder.ts'
import { programHelp } from './server/program-help.ts'
import { ProgressLine } from './server/progress-line.ts'
import { uploadReplay } from './server/replay-upload.ts'
import { runShortProgram } from './server/short-program.ts'
import { lengthOf } from './store/file/recording-length.ts'

const HELP = {
  title: 'A recording is played into a running Tokenscope, as a generation that says it is a replay.',
  usage: 'pnpm replay FILE [options]',
  keys: REPLAY_KEYS,
  notes: ['FILE is an export in the form jsonl, or several of them joined. Ctrl-C stops the replay.'],
}

/** How often it is looked how far it is. */
const LOOK_MS = 100

await runShortProgram('replay', 'what was played until then stays.', async signal => {
  const command = readReplayCommand()
  if (command.kind === 'help') process.stdout.write(programHelp(HELP))
  else await replay(command.config, signal)
})

async function replay({ file, data, speed, url }: ReplayConfig, signal: AbortSignal): Promise<void> {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw new TokenscopeError('BAD_RECORDING', `There is no file ${file}.`)
  if (!found.isFile()) {
    // It is read twice.
    const what = found.isDirectory() ? 'a folder' : 'no file on a disk'
    throw new TokenscopeError('BAD_RECORDING', `${file} is ${what}. Name a recording.`)
  }
  const server = url ?? serverOf(data)
  if (server === null) {
    const why = `No Tokenscope runs on the data folder ${resolve(data)}`
    throw new TokenscopeError(
      'DATA_FOLDER',
      `${why}. Start it with pnpm start, or say with --url where it is.`,
    )
  }
  // Nothing is played of a file that is damaged further on.
  const { recordings, ms } = await lengthOf(createReadStream(file, { signal }))
  const line = new ProgressLine(process.stdout)
  const bytes = statSync(file).size
  const begun = performance.now()
  const show = (sent: number) => {
    if (speed === null) line.show({ label: 'playing', done: sent, total: bytes, text: sizeText })
    else {
      const done = Math.min((performance.now() - begun) * speed, ms)
      line.show({ label: `playing ×${speed}`, done, total: ms, text: played => durationText(played / 1000) })
    }
  }
  let sent = 0
  const looking = setInterval(() => show(sent), LOOK_MS)
  try {
    const onSent = (now: number) => {
      sent = now
    }
    const generations = await uploadReplay({ url: server, file, speed, signal, onSent })
    line.clear()
    const what = `${recordings} recording${recordings === 1 ? '' : 's'} of ${durationText(ms / 1000)}`
    process.stdout.write(`  played ${what}: ${generations.join(', ')}\n`)
  } finally {
    clearInterval(looking)
    line.clear()
  }
}
