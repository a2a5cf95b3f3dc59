import { spawn } from 'node:child_process'
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { TokenscopeError } from '../events/errors.ts'

/** What the page is built from, below the project's root. */
const SOURCES = ['web', 'events', 'broadcast', 'compositor/draw', 'shaders', 'package.json', 'pnpm-lock.yaml']

/**
 * Builds the page if a source is newer than what was built, in a child process and then moved into place
 * whole, so that neither a failure nor a second builder leaves half a page behind.
 *
 * @param root the project's root folder
 * @param say told when there is something to wait for
 * @returns the folder with the built page
 * @throws TokenscopeError PAGE_BUILD with what the builder said
 */
export async function buildPage(root: string, say: (text: string) => void = () => {}): Promise<string> {
  const built = join(root, 'dist', 'web')
  const index = join(built, 'index.html')
  if (existsSync(index) && statSync(index).mtimeMs >= (await newest(root))) return built

  say('building the page')
  await removeUnfinished(join(root, 'dist'))
  const fresh = join(root, 'dist', `web.${process.pid}`)
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js')
  const said = await run(
    [vite, 'build', 'web', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'],
    root,
  )
  if (said !== null || !existsSync(join(fresh, 'index.html'))) {
    rmSync(fresh, { recursive: true, force: true })
    throw new TokenscopeError('PAGE_BUILD', `The page could not be built: ${said ?? 'nothing came out'}`)
  }
  const old = `${fresh}.old`
  if (existsSync(built)) renameSync(built, old)
  renameSync(fresh, built)
  rmSync(old, { recursive: true, force: true })
  return built
}

/** Removes what builders that were ended left behind. */
async function removeUnfinished(dist: string): Promise<void> {
  for (const name of existsSync(dist) ? await readdir(dist) : []) {
    const pid = Number(name.match(/^web\.(\d+)/)?.[1] ?? Number.NaN)
    if (!Number.isNaN(pid) && !isAlive(pid)) rmSync(join(dist, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Runs Node on `args`; null if it went well, else what it said. */
function run(args: string[], cwd: string): Promise<string | null> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stdout.on('data', data => {
      said += data
    })
    child.stderr.on('data', data => {
      said += data
    })
    child.on('error', error => resolve(error.message))
    child.on('close', code => resolve(code === 0 ? null : said.trim()))
  })
}

/** Time of the newest source, in ms. */
async function newest(root: string): Promise<number> {
  let time = 0
  for (const source of SOURCES) {
    const path = join(root, source)
    if (!existsSync(path)) continue
    time = Math.max(time, statSync(path).mtimeMs)
    if (!statSync(path).isDirectory()) continue
    for (const entry of await readdir(path, { recursive: true })) {
      time = Math.max(time, statSync(join(path, entry)).mtimeMs)
    }
  }
  return time
}
