import { type Logger, type LoggerOptions, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Correlation } from './correlation.ts'

/**
 * The program's log, on stderr: JSON lines, or for a person if stderr is a terminal. What is logged while something
 * is done for a request has its id.
 */
export function createLogger(level: string, correlation: Correlation): Logger {
  const options: LoggerOptions = {
    level,
    mixin: line => {
      const { id } = correlation
      // A line that names its request knows better.
      return id === undefined || 'correlation_id' in line ? {} : { correlation_id: id }
    },
  }
  if (!process.stderr.isTTY) return pino(options, pino.destination({ fd: 2, sync: true }))
  const stream = pretty({
    destination: 2,
    sync: true,
    singleLine: true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  })
  return pino(options, stream)
}
