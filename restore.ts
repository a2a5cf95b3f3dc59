/** What `pnpm restore FILE` runs: a backup takes the place of the records, with no server at work. */
import { readRestoreCommand } from './config.ts'
import { RESTORE_KEYS } from './events/config-keys.ts'
import { sizeText } from './events/quantities.ts'
import { copyProgress, countsText } from './server/copy-screen.ts'
import { DataFolder } from './server/data-folder.ts'
import { programHelp } from './server/program-help.ts'
import { runShortProgram } from './server/short-program.ts'
import { checkHeader } from './store/backup/check-file.ts'
import { restoreRecords } from './store/backup/restore.ts'

const HELP = {
  title: 'A backup takes the place of the records. Tokenscope must not run meanwhile.',
  usage: 'pnpm restore FILE [options]',
  keys: RESTORE_KEYS,
  notes: ['FILE is checked first. The records that are there are kept beside the new ones.'],
}

await runShortProgram('restore', 'the records are as they were.', async signal => {
  const command = readRestoreCommand()
  if (command.kind === 'help') {
    process.stdout.write(programHelp(HELP))
    return
  }
  const { data, file } = command.config
  // No folder is made for what is no backup.
  checkHeader(file)
  const folder = new DataFolder(data)
  folder.open()
  const progress = copyProgress(process.stdout, 'copying')
  try {
    const restored = await restoreRecords({ folder: folder.path, file, signal, onProgress: progress.show })
    progress.clear()
    process.stdout.write(`  restored ${sizeText(restored.bytes)}, ${countsText(restored)}: ${folder.path}\n`)
    if (restored.before !== null) {
      process.stdout.write(`  what was there before is kept: ${restored.before}\n`)
    }
  } finally {
    progress.clear()
    folder.close()
  }
})
