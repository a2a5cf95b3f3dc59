import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Browser, chromium } from 'playwright-core'

/** The system's Chromium; playwright's own cannot be had everywhere. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
/** The same engine without the rest of the browser: its pages begin with less than half the work. */
const HEADLESS_SHELL = ['/usr/bin/chromium-headless-shell'].find(existsSync)
const XVFB = ['/usr/bin/Xvfb', '/usr/local/bin/Xvfb'].find(existsSync)

/** Why tests of the page cannot run here, or null if they can. */
export const noBrowser =
  CHROMIUM === undefined ? 'no Chromium on this machine (apt-get install chromium)' : null

/** Why tests of the page with WebGPU cannot run here, or null if they can. */
export const noWebgpuBrowser =
  noBrowser ?? (XVFB === undefined ? 'no Xvfb on this machine (apt-get install xvfb)' : null)

/** Shorter than a test may take, so that it is told what was waited for. */
const PATIENCE_MS = 90_000
const OUTPUT = join(import.meta.dirname, '../.output')

const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // As it is headless anyway: pictures are to be the same.
  '--hide-scrollbars',
]

/** WebGPU on a GPU that is a program: the same on every machine, whatever it has. */
const SWIFTSHADER = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--ignore-gpu-blocklist']

/**
 * Starts a Chromium that talks to nobody but the pages it is given: headless and without WebGPU, or with it.
 * With it there must be a screen, since a headless one shows a blank canvas: one that nobody sees is started,
 * and goes with the browser.
 *
 * @param options.headed with a screen, even if without WebGPU
 * @throws Error where there is no Chromium, or no Xvfb for one with a screen
 */
export async function launchBrowser({
  webgpu = false,
  headed = webgpu,
}: {
  webgpu?: boolean
  headed?: boolean
} = {}): Promise<Browser> {
  const missing = headed ? noWebgpuBrowser : noBrowser
  if (missing !== null) throw new Error(missing)
  const executablePath = CHROMIUM as string
  if (!headed) {
    return patient(await chromium.launch({ executablePath: HEADLESS_SHELL ?? executablePath, args: QUIET }))
  }
  const screen = await startScreen()
  try {
    const browser = await chromium.launch({
      executablePath,
      headless: false,
      args: webgpu ? [...QUIET, ...SWIFTSHADER] : QUIET,
      env: { ...process.env, DISPLAY: screen.display },
    })
    browser.on('disconnected', () => screen.child.kill())
    return patient(browser)
  } catch (error) {
    screen.child.kill()
    throw error
  }
}

/** Whatever is waited for in its pages may take long on a slow machine. */
function patient(browser: Browser): Browser {
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async options => {
    const context = await newContext(options)
    context.setDefaultTimeout(PATIENCE_MS)
    return context
  }
  return browser
}

/** Starts a screen in memory, under the first number that is free. */
async function startScreen(): Promise<{ child: ChildProcess; display: string }> {
  const args = ['-displayfd', '3', '-screen', '0', '1920x1200x24', '-nolisten', 'tcp']
  const child = spawn(XVFB as string, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  // Left to itself it would outlive a test process that is killed.
  process.once('exit', () => child.kill())
  const complaint = text(child.stderr as NodeJS.ReadableStream)
  const number = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdio[3]?.on('data', data => {
      said += data
      if (said.endsWith('\n')) resolve(said.trim())
    })
    child.once('error', reject)
    child.once('exit', async code => reject(new Error(`Xvfb ended with ${code}: ${await complaint}`)))
  })
  return { child, display: `:${number}` }
}

/** Where a server's page draws with that GPU: by itself it takes only one that is no program. */
export function drawnBySoftware(url: string): string {
  return `${url}/?draw=webgpu`
}

/** Where a test may leave a picture: a git-ignored folder. */
export function picturePath(name: string): string {
  mkdirSync(OUTPUT, { recursive: true })
  return join(OUTPUT, `${name}.png`)
}
