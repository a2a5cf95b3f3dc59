import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** The system's Chromium; playwright's own cannot be had everywhere. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/** Why tests of the page cannot run here, or null if they can. */
export const noBrowser =
  CHROMIUM === undefined ? 'no Chromium on this machine (apt-get install chromium)' : null

const OUTPUT = join(import.meta.dirname, '../.output')

/** Starts a headless Chromium that talks to nobody but the pages it is given. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Where a test may leave a picture: a git-ignored folder. */
export function picturePath(name: string): string {
  mkdirSync(OUTPUT, { recursive: true })
  return join(OUTPUT, `${name}.png`)
}
