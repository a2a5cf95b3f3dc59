import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { startScope } from '../support/scope.ts'
import { soon } from '../support/soon.ts'
import { Spectator } from '../support/spectator.ts'

const PATH = '/scope/v1/shm'

let root: string
let scope: Tokenscope
let off: Tokenscope
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'tokenscope-structure-'))
  writeFileSync(join(root, 'one.ts'), "import './two.ts'\n")
  writeFileSync(join(root, 'two.ts'), '')
  scope = await startScope({ shm: root })
  off = await startScope()
})
afterAll(async () => {
  await Promise.all([scope.stop(), off.stop()])
  rmSync(root, { recursive: true, force: true })
})

async function ask(url: string, method = 'GET', path = PATH, headers: Record<string, string> = {}) {
  const answer = await fetch(url + path, { method, headers })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) }
}

/** The answer once it is the report of the tree as it is now. */
function scored(sccs: number) {
  return soon(async () => {
    const answer = await ask(scope.url)
    expect([answer.body.metadata.state, answer.body.data?.sccs.length]).toEqual(['ready', sccs])
    return answer
  })
}

describe('/scope/v1/shm', () => {
  test('gives the report and how the tree stands; unchanged, it is not sent again', async () => {
    const { headers, body } = await scored(0)
    expect(body.data).toMatchObject({ counts: { files: 2, edges: 1 }, ids: { formula: 'pas-1' } })
    expect(body.metadata).toMatchObject({ root, watching: false, progress: null, trouble: null })
    expect(headers.get('cache-control')).toBe('no-cache')
    const again = await ask(scope.url, 'GET', PATH, { 'if-none-match': headers.get('etag') as string })
    expect([again.status, again.body]).toEqual([304, null])
  })

  test('scores again for who asks, and by itself for who watches', async () => {
    const { headers } = await scored(0)
    writeFileSync(join(root, 'two.ts'), "import './one.ts'\n")
    expect((await ask(scope.url, 'POST', `${PATH}/scan`)).body).toEqual({
      success: true,
      data: { state: 'scanning' },
      metadata: {},
    })
    const after = await scored(1)
    expect(after.headers.get('etag')).not.toBe(headers.get('etag'))
    const metrics = await (await fetch(`${scope.url}/metrics`)).text()
    expect(metrics).toContain(`tokenscope_pas_score ${after.body.data.score}\n`)

    const viewer = await Spectator.watch(scope.url)
    await soon(async () => expect((await ask(scope.url)).body.metadata.watching).toBe(true))
    writeFileSync(join(root, 'two.ts'), '')
    await scored(0)
    viewer.close()
  })

  test('says that no tree is scored where none is', async () => {
    const { status, body } = await ask(off.url)
    expect([status, body.data, body.metadata]).toEqual([
      200,
      null,
      expect.objectContaining({ root: null, state: 'off', history: [] }),
    ])
    const refused = await ask(off.url, 'POST', `${PATH}/scan`)
    expect([refused.status, refused.body.error_code]).toEqual([409, 'NO_SOURCE_TREE'])
    expect(refused.body.error).toContain('--shm DIR')
    const ready = await ask(off.url, 'GET', '/readyz', { accept: 'application/json' })
    expect(JSON.stringify(ready.body)).not.toContain('"structure"')
  })

  test('a start with a folder that is not there says so, and leaves nothing running', async () => {
    await expect(startScope({ shm: join(root, 'none') })).rejects.toThrow(
      /--shm .*none: the folder is not there/,
    )
  })
})
