/** The thread in which scheduled backups are made: it makes one when it is asked to, and stops in the midst of it. */

import { serve } from '../thread-port.ts'
import { backupRecords } from './backup.ts'

const stopping = new AbortController()
const running = new Set<Promise<void>>()

serve(
  {
    backup: (where: { folder: string; file: string }) => {
      const backup = backupRecords({ ...where, signal: stopping.signal })
      running.add(
        backup.then(
          () => {},
          () => {},
        ),
      )
      return backup
    },
  },
  () => {},
  async () => {
    stopping.abort()
    await Promise.all(running)
  },
)
