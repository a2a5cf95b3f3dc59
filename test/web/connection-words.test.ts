import { describe, expect, it } from 'vitest'
import type { ScopeState } from '../../broadcast/client.ts'
import { CLOSE_CODES } from '../../events/close-codes.ts'
import { connectionSentence, connectionSign } from '../../web/frame/connection-words.ts'

const waiting = (code: number | null): ScopeState => ({ kind: 'waiting', retryAt: 0, reason: 'gone', code })
const CODES = Object.values(CLOSE_CODES)

describe('what the page says of its connection', () => {
  it('is nothing while it is there', () => {
    expect(connectionSentence({ kind: 'open' })).toBeNull()
    expect(connectionSign({ kind: 'open' })).toBe('connected')
  })

  it.each(CODES.filter(({ comeBack }) => comeBack))(
    'after $code is the same from one attempt to the next',
    ({ code }) => {
      const sentence = connectionSentence(waiting(code))
      expect(sentence).toMatch(/^[A-Z].*\.$/)
      expect(connectionSentence({ kind: 'connecting', code })).toBe(sentence)
    },
  )

  it.each(CODES.filter(({ comeBack }) => !comeBack))('after $code is why', ({ code, reason }) => {
    const sentence = connectionSentence({ kind: 'closed', code, reason })
    expect(sentence).toMatch(/^Tokenscope .*\.$/)
    expect(sentence).not.toContain('closed the connection')
  })

  it('names the reason of a code that it does not know', () => {
    expect(connectionSentence({ kind: 'closed', code: 4777, reason: 'new rules' })).toContain('new rules')
    expect(connectionSentence({ kind: 'closed', code: 4777, reason: '' })).toContain('4777')
  })

  it('is that there is no room, where there is none', () => {
    const { code } = CLOSE_CODES.TOO_MANY
    expect(connectionSentence(waiting(code))).toBe('Too many viewers for now.')
    expect(connectionSign(waiting(code))).toBe('no room yet')
    expect(connectionSign({ kind: 'connecting', code })).toBe('no room yet')
    expect(connectionSign(waiting(1006))).toBe('reconnecting')
    expect(connectionSign(waiting(null))).toBe('reconnecting')
  })
})
