import { describe, expect, test } from 'vitest'
import { keptHeaders, keptTarget } from '../../../store/writer/kept-headers.ts'

describe('what is kept of a request', () => {
  test('are its headers without what lets somebody in', () => {
    const secret = [
      'Authorization',
      'PROXY-AUTHORIZATION',
      'Cookie',
      'Set-Cookie',
      'X-Api-Key',
      'api-key',
      'X-Goog-Api-Key',
      'x-auth-token',
      'X-Client-Secret',
      'my-secret-thing',
      'X-Forwarded-Authorization',
      'Cookie2',
      'Cf-Access-Jwt-Assertion',
      'X-Bearer',
      'X-AccessToken',
      'X-OpenAI-ApiKey',
    ]
    const raw = secret.flatMap(name => [name, 'do not keep'])
    raw.push('User-Agent', 'app/1', 'Accept', 'a', 'accept', 'b', 'X-Tokens', '5', 'Keyboard', 'qwerty')
    expect(keptHeaders(raw)).toEqual({
      'user-agent': 'app/1',
      accept: 'a, b',
      'x-tokens': '5',
      keyboard: 'qwerty',
    })
  })

  test('is a header of any name', () => {
    expect(Object.entries(keptHeaders(['__proto__', 'x', 'constructor', 'y']))).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })

  test.each([
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/v1/x?key=AIza123&alt=sse', '/v1/x?key=&alt=sse'],
    ['/v1/x?alt=sse&access_token=abc&api_key=d&API-Key=e', '/v1/x?alt=sse&access_token=&api_key=&API-Key='],
    ['/v1/x?accessToken=a&apiKey=b&jwt=c&idtoken=d', '/v1/x?accessToken=&apiKey=&jwt=&idtoken='],
    ['/v1/x?monkey=1&turkey=2&design=3', '/v1/x?monkey=1&turkey=2&design=3'],
    ['/v1/x?a%5Ftoken=abc&tokens=5', '/v1/x?a%5Ftoken=&tokens=5'],
    ['/v1/x?%=1&key', '/v1/x?%=1&key'],
    ['/v1/x?', '/v1/x?'],
  ])('is the target %s as %s', (target, kept) => {
    expect(keptTarget(target)).toBe(kept)
  })
})
