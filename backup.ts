/** What `pnpm backup FILE` runs: a backup of the records, while a server writes to them or not. */
import { readBackupCommand } from './config.ts'
import { BACKUP_KEYS } from './events/config-keys.ts'
import { sizeText } from './events/quantities.ts'
import { copyProgress, countsText } from './server/copy-screen.ts'
import { programHelp } from './server/program-help.ts'
import { runShortProgram } from './server/short-program.ts'
import { backupRecords } from './store/backup/backup.ts'

const HELP = {
  title: 'A backup of the records: one file, checked, safe to make while Tokenscope runs.',
  usage: 'pnpm backup FILE [options]',
  keys: BACKUP_KEYS,
  notes: ['FILE is replaced if it is a backup already, and left alone if it is anything else.'],
}

await runShortProgram('backup', 'no backup was made.', async signal => {
  const command = readBackupCommand()
  if (command.kind === 'help') {
    process.stdout.write(programHelp(HELP))
    return
  }
  const { data, file } = command.config
  const progress = copyProgress(process.stdout, 'copying')
  try {
    const backup = await backupRecords({ folder: data, file, signal, onProgress: progress.show })
    progress.clear()
    process.stdout.write(`  backed up ${sizeText(backup.bytes)}, ${countsText(backup)}: ${backup.file}\n`)
  } finally {
    progress.clear()
  }
})
