import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { CHAT } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

const ROOT = join(import.meta.dirname, '../..')

it('the program of the README prints what is generated', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const section = readme.split(/^## /m).find(part => part.startsWith('Watch from your own program\n'))
  const [, program] = /```js\n(.*?)```/s.exec(section ?? '') ?? []
  expect(program?.trim().split('\n').length).toBeLessThanOrEqual(12)

  const scope = await startScope()
  const stream = `${scope.url.replace('http', 'ws')}/scope/v1/stream`
  // As a file in the project would run, without being one.
  const child = spawn(process.execPath, ['--input-type=module', '-', stream], { cwd: ROOT })
  let printed = ''
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the program ended with ${code}: ${printed}`)
  })
  ended.catch(() => {}) // it ends by our hand as well
  try {
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', data => {
        printed += data
      })
    }
    child.stdin.end(program)
    await Promise.race([subscribed(scope), ended])
    const body = JSON.stringify({ ...CHAT, logprobs: true, max_tokens: 3 })
    await (await fetch(`${scope.url}/v1/chat/completions`, { method: 'POST', body })).text()
    while (!/^tokenscope-demo done$/m.test(printed)) await Promise.race([once(child.stdout, 'data'), ended])
    expect(printed).toMatch(/^tokenscope-demo generating$/m)
    // Each token and its probability.
    expect(printed.match(/ (1|0\.\d+)$/gm)?.length).toBeGreaterThanOrEqual(3)
    expect(printed).not.toMatch(/error/i)
  } finally {
    child.kill()
    await ended.catch(() => {})
    await scope.stop()
  }
})

/** Waits until the server has a viewer that has got its snapshot. */
async function subscribed(scope: Tokenscope): Promise<void> {
  for (;;) {
    const answer = await fetch(`${scope.url}/scope/v1/clients`)
    const { data } = (await answer.json()) as { data: { acknowledged: number | null }[] }
    if (data.some(({ acknowledged }) => acknowledged !== null)) return
  }
}
