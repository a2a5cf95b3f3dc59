/**
 * What the benches compare with: packages of their own in `peers/`, with their own lock file, so that nothing but a bench
 * installs them.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const FOLDER = join(import.meta.dirname, 'peers')
const INSTALL = ['-y', 'pnpm@12', 'install', '--ignore-workspace', '--frozen-lockfile']
const PATIENCE_MS = 180_000

/**
 * Installs the peers if they are not there in the versions that are asked for. Gives why they cannot be had, in words, or
 * null if they can.
 */
export async function installPeers(): Promise<string | null> {
  if (areInstalled()) return null
  process.stdout.write(`  Installing what is compared with, in ${FOLDER} …\n`)
  return new Promise(resolve => {
    const child = spawn('npx', INSTALL, {
      cwd: FOLDER,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PATIENCE_MS,
    })
    let output = ''
    const keep = (data: Buffer) => {
      output += data
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', error => resolve(error.message))
    child.on('close', code => {
      const last = output.trim().split('\n').at(-1) ?? ''
      resolve(code === 0 ? null : `the installation ended with ${code}: ${last}`)
    })
  })
}

/**
 * A peer's module.
 *
 * @throws if the peers are not installed
 */
export async function importPeer<T>(name: string): Promise<T> {
  const path = createRequire(join(FOLDER, 'package.json')).resolve(name)
  return (await import(pathToFileURL(path).href)) as T
}

function areInstalled(): boolean {
  const { dependencies } = readPackage(FOLDER) as { dependencies: Record<string, string> }
  return Object.entries(dependencies).every(
    ([name, version]) => readPackage(join(FOLDER, 'node_modules', name))?.version === version,
  )
}

/** A folder's package.json; null where there is none. */
function readPackage(folder: string): { version?: string; dependencies?: Record<string, string> } | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return null
  }
}
