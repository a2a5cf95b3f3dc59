/**
 * Takes the pictures of docs/screenshots from running servers with the demo model, so that they show what there is.
 * They need Chromium and Xvfb; where these are missing it says so, and leaves them as they were. Names as arguments: only those
 * pictures. `--to FOLDER`: elsewhere.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { reasonOf } from '../../events/errors.ts'
import { Demo } from '../support/demo.ts'
import {
  BEFORE,
  EMPTY_SCENES,
  FAR_SCENES,
  fillSession,
  SCENES,
  type Scene,
  SERVER_GONE,
  UPSTREAM_AWAY,
} from './page-scenes.ts'
import { PageStage } from './page-stage.ts'

/** Answers of a long session. */
const MANY_ANSWERS = 90

const { values, positionals } = parseArgs({ options: { to: { type: 'string' } }, allowPositionals: true })
const folder = values.to ?? join(import.meta.dirname, '../../docs/screenshots')
const wanted = ({ name }: Scene) => positionals.length === 0 || positionals.includes(name)

await mkdir(folder, { recursive: true })
await act(SCENES, async stage => {
  for (const question of BEFORE) await stage.ask(question)
})
await act([...FAR_SCENES, SERVER_GONE], stage => fillSession(stage, MANY_ANSWERS))
const upstream = await new Demo().start()
await act(EMPTY_SCENES, async () => {}, upstream.url)
await upstream.stop()
await act([UPSTREAM_AWAY], async () => {}, upstream.url)

/** Takes the pictures of scenes that play on one stage. */
async function act(
  scenes: readonly Scene[],
  prepare: (stage: PageStage) => Promise<void>,
  upstream?: string,
): Promise<void> {
  const shown = scenes.filter(wanted)
  if (shown.length === 0) return
  let stage: PageStage | undefined
  try {
    stage = await PageStage.start(folder, upstream)
    await prepare(stage)
    for (const { name, show } of shown) {
      try {
        await show(stage, folder)
      } catch (error) {
        console.error(`${name}: ${reasonOf(error)}`)
        process.exitCode = 1
      }
      await stage.clear()
    }
  } catch (error) {
    console.error(`Not all pictures were taken: ${reasonOf(error)}`)
    process.exitCode = 1
  } finally {
    await stage?.stop()
  }
}
