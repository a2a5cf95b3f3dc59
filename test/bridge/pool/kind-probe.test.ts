import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GetJson, loadedModels, probeKind } from '../../../bridge/pool/kind-probe.ts'
import { Upstream } from '../../../bridge/upstream.ts'
import { parseUpstream, type UpstreamKind } from '../../../events/upstream-spec.ts'
import { Demo } from '../../support/demo.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'
import { RawUpstream } from '../../support/raw-upstream.ts'

describe('an upstream finds out what it is', () => {
  let demo: Demo
  beforeAll(async () => {
    demo = await new Demo().start()
  })
  afterAll(() => demo.stop())

  test.each<[UpstreamKind, string, string[] | null]>([
    ['lmstudio', 'LM Studio', ['tokenscope-demo']],
    ['llamacpp', 'llama.cpp', null],
    ['ollama', 'Ollama', ['tokenscope-demo:latest']],
    ['vllm', 'vLLM', null],
    ['demo', 'Demo server', null],
  ])('%s', async (kind, name, loaded) => {
    const upstream = await looked(demo.of(kind as 'demo'))
    expect(seen(upstream)).toEqual({ up: true, kind, name, loaded, models: ['tokenscope-demo'] })
    expect(upstream.has('tokenscope-demo')).toBe(true)
    expect(upstream.has('gpt-4o')).toBe(false)
    await upstream.stop()
  })

  test('and takes the word of who named it', async () => {
    const upstream = await looked(`${demo.of('vllm')},kind=openai`)
    expect(seen(upstream)).toMatchObject({ kind: 'openai', name: new URL(demo.url).host })
    await upstream.stop()
  })

  test('which is any other if it speaks OpenAI’s API and nothing of its own, and has a model without a list', async () => {
    const raw = await new RawUpstream().start()
    const upstream = await looked(raw.url)
    expect(seen(upstream)).toMatchObject({ up: true, kind: 'openai', loaded: null, models: ['test-model'] })
    await upstream.stop()
    await raw.stop()
  })

  test('anew each time that it comes up', async () => {
    const server = await new Demo({ kind: 'ollama' }).start()
    const upstream = await looked(server.url)
    expect(upstream.kind).toBe('ollama')
    await server.stop()
    await upstream.probe()
    expect(seen(upstream)).toMatchObject({ up: false, kind: 'ollama', loaded: null })
    const port = Number(new URL(server.url).port)
    const other = await new Demo({ kind: 'llamacpp', port }).start()
    await upstream.probe()
    expect(seen(upstream)).toMatchObject({ up: true, kind: 'llamacpp', name: 'llama.cpp' })
    await upstream.stop()
    await other.stop()
  })
})

const seen = ({ up, kind, name, loaded, models }: Upstream) => ({ up, kind, name, loaded, models })

async function looked(text: string): Promise<Upstream> {
  const spec = parseUpstream(text, {})
  const url = new URL(spec.url)
  const upstream = new Upstream({ label: url.host, url, spec, demo: false, meter: new RecordingMeter() })
  await upstream.probe()
  return upstream
}

/** A server by what it answers; LM Studio's word for paths that it does not have where that is nothing. */
function serverOf(answers: Record<string, unknown>) {
  const asked: string[] = []
  const get: GetJson = async path => {
    asked.push(path)
    return path in answers ? answers[path] : { error: `Unexpected endpoint or method. (GET ${path})` }
  }
  return { get, asked }
}

const listOf = (owner: string) => ({ object: 'list', data: [{ id: 'm', owned_by: owner }] })

describe('the kind of a server', () => {
  const v1 = {
    models: [
      { key: 'a', loaded_instances: [{ id: 'a:2' }] },
      { key: 'b', loaded_instances: [] },
    ],
  }
  const v0 = {
    data: [
      { id: 'a', state: 'loaded' },
      { id: 'b', state: 'not-loaded' },
    ],
  }

  test('is not told by a status: LM Studio answers 200 to everything', async () => {
    const { get, asked } = serverOf({})
    expect(await probeKind(listOf('organization_owner'), get)).toBe('openai')
    expect(asked).toEqual(['/api/v1/models', '/api/v0/models', '/api/version', '/props'])
  })

  test('is LM Studio by either of its lists, the empty one included, and says what it has loaded', async () => {
    expect(await probeKind(undefined, serverOf({ '/api/v1/models': { models: [] } }).get)).toBe('lmstudio')
    const older = serverOf({ '/api/v0/models': v0 }).get
    expect(await probeKind(undefined, older)).toBe('lmstudio')
    expect(await loadedModels('lmstudio', older)).toEqual(['a'])
    expect(await loadedModels('lmstudio', serverOf({ '/api/v1/models': v1 }).get)).toEqual(['a', 'a:2'])
    expect(await loadedModels('lmstudio', serverOf({}).get)).toBeNull()
  })

  test('is asked for where its owners hint first, and not at all where they tell', async () => {
    const ollama = serverOf({ '/api/version': { version: '0.33.0' } })
    expect(await probeKind(listOf('library'), ollama.get)).toBe('ollama')
    expect(ollama.asked).toEqual(['/api/version'])
    const llama = serverOf({})
    expect(await probeKind(listOf('llamacpp'), llama.get)).toBe('llamacpp')
    expect(llama.asked).toEqual([])
    expect(await probeKind(listOf('constructor'), serverOf({}).get)).toBe('openai')
  })

  test('is llama.cpp by its properties, and vLLM only if it has a version beside the owner', async () => {
    const props = { default_generation_settings: {} }
    expect(await probeKind(listOf('me'), serverOf({ '/props': props }).get)).toBe('llamacpp')
    expect(await probeKind(listOf('vllm'), serverOf({ '/version': { version: '1' } }).get)).toBe('vllm')
    expect(await probeKind(listOf('vllm'), serverOf({}).get)).toBe('openai')
  })

  test('is not known while the server does not answer', async () => {
    const silent: GetJson = () => Promise.reject(new Error('timeout'))
    await expect(probeKind(undefined, silent)).rejects.toThrow('timeout')
  })

  test.each([null, 5, 'x', [], {}, { data: 5 }, { models: [null] }, { data: [null, 5] }])(
    'is read from %j without a word',
    async odd => {
      const get: GetJson = async () => odd
      expect(await probeKind(odd, get)).toBe('openai')
      for (const kind of ['lmstudio', 'ollama', 'vllm'] as const) await loadedModels(kind, get)
    },
  )
})
