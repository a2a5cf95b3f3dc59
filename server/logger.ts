import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** The program's log, on stderr: JSON lines, or for a person if stderr is a terminal. */
export function createLogger(level: string): Logger {
  if (!process.stderr.isTTY) return pino({ level }, pino.destination({ fd: 2, sync: true }))
  const stream = pretty({
    destination: 2,
    sync: true,
    singleLine: true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  })
  return pino({ level }, stream)
}
