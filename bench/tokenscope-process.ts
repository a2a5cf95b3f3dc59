/** Tokenscope in a process of its own that says how much memory it holds. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCommand } from '../config.ts'
import { startTokenscope } from '../main.ts'
import { answer } from './children.ts'
import { readMemory } from './memory-reading.ts'

const data = mkdtempSync(join(tmpdir(), 'tokenscope-bench-'))
process.on('exit', () => rmSync(data, { recursive: true, force: true }))

answer({
  async listen(upstream: string) {
    const flags = ['--upstream', upstream, '--port', '0', '--data', data, '--log-level', 'warn']
    const command = readCommand(flags, {}, data)
    if (command.kind !== 'start') throw new Error(`${flags.join(' ')} starts nothing`)
    return (await startTokenscope(command.config)).url
  },
  memory: readMemory,
})
