import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { callerOf } from '../../bridge/caller.ts'

function caller(headers: Record<string, string>, remoteAddress: string | undefined = '127.0.0.1'): string {
  return callerOf({ headers, socket: { remoteAddress } as Socket })
}

test('a key is one caller, wherever it stands and whoever’s address it comes from', () => {
  const forms = [
    caller({ authorization: 'Bearer sk-1' }),
    caller({ authorization: 'bearer  sk-1 ' }, '10.0.0.2'),
    caller({ 'x-api-key': 'sk-1' }, '::1'),
  ]
  expect(new Set(forms).size).toBe(1)
  expect(forms[0]).toMatch(/^key:[0-9a-f]{32}$/)
  expect(forms[0]).not.toContain('sk-1')
  expect(caller({ authorization: 'Bearer sk-2' })).not.toBe(forms[0])
})

test.each([
  ['127.0.0.1', 'addr:127.0.0.1'],
  ['::ffff:127.0.0.1', 'addr:127.0.0.1'],
  ['::FFFF:10.1.2.3', 'addr:10.1.2.3'],
  ['fe80::1%eth0', 'addr:fe80::1'],
  ['::1', 'addr:::1'],
])('without a key it is the address: %s', (address, expected) => {
  expect(caller({}, address)).toBe(expected)
  expect(caller({ authorization: 'Bearer ' }, address)).toBe(expected)
})

test('a socket that has gone has no address', () => {
  expect(callerOf({ headers: {}, socket: {} as Socket })).toBe('addr:unknown')
})
