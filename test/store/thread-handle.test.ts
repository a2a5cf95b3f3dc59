import { afterEach, describe, expect, test, vi } from 'vitest'
import { TokenscopeError } from '../../events/errors.ts'
import { ThreadHandle } from '../../store/thread-handle.ts'
import { soon } from '../support/soon.ts'

const ENTRY = new URL('../support/calculating-thread.ts', import.meta.url)

const handles: ThreadHandle[] = []
afterEach(async () => {
  for (const handle of handles.splice(0)) await handle.stop()
})

function start(entry = ENTRY) {
  const onPost = vi.fn()
  const onEnd = vi.fn()
  const handle = new ThreadHandle({ entry, data: { base: 10 }, onPost, onEnd })
  handles.push(handle)
  return { handle, onPost, onEnd }
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error as TokenscopeError,
  )

describe('a thread', () => {
  test('answers calls, in the order in which they were made', async () => {
    const { handle } = start()
    const order: number[] = []
    const calls = [1, 2, 3, 4].map(n => handle.call<number>('double', n).then(value => order.push(value)))
    expect(await handle.call('base')).toEqual({ base: 10 })
    await Promise.all(calls)
    expect(order).toEqual([2, 4, 6, 8])
    expect(await handle.call('later', 7)).toBe(7)
    const bytes = new Uint8Array([1, 2, 3])
    expect(await handle.call('sum', bytes, [bytes.buffer])).toBe(6)
    expect(bytes).toHaveLength(0)
    handle.post('a')
    handle.post('b')
    expect(await handle.call('posts')).toEqual(['a', 'b'])
  })

  test('refuses with the error that was thrown; what is no refusal is a fault', async () => {
    const { handle } = start()
    const refusal = await errorOf(handle.call('refuse'))
    expect(refusal).toBeInstanceOf(TokenscopeError)
    expect(refusal).toMatchObject({
      code: 'VERSION_CONFLICT',
      message: 'It was changed.',
      param: 'version',
      details: { current: 5 },
    })
    expect(await errorOf(handle.call('fault'))).toMatchObject({ code: 'INTERNAL', message: 'a fault' })
    expect(await errorOf(handle.call('nothing'))).toMatchObject({ code: 'INTERNAL' })
  })

  test('ends in order once it is stopped, and answers nothing afterwards', async () => {
    const { handle, onPost, onEnd } = start()
    const call = handle.call('double', 4)
    await Promise.all([handle.stop(), handle.stop()])
    expect(await call).toBe(8)
    expect(onPost.mock.calls).toEqual([['stopped']])
    expect(onEnd.mock.calls).toEqual([[null]])
    expect(await errorOf(handle.call('double', 4))).toMatchObject({ code: 'RECORDS_UNAVAILABLE' })
    handle.post('nobody is there')
  })

  test('that breaks is told, and leaves no call without an answer', async () => {
    const { handle, onEnd } = start()
    expect(await errorOf(handle.call('crash'))).toMatchObject({ code: 'RECORDS_UNAVAILABLE' })
    await soon(() => expect(onEnd.mock.calls).toMatchObject([[{ message: 'it broke' }]]))
  })

  test('that cannot be started is told', async () => {
    const { handle, onEnd } = start(new URL('../support/no-such-thread.ts', import.meta.url))
    expect(await errorOf(handle.call('double', 4))).toMatchObject({ code: 'RECORDS_UNAVAILABLE' })
    await soon(() => expect(onEnd).toHaveBeenCalledOnce())
    expect(onEnd.mock.calls[0]?.[0]).toBeInstanceOf(Error)
  })
})
