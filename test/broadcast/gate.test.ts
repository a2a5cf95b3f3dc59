import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Entry, Gate, isLoopback } from '../../broadcast/gate.ts'
import { CLOSE_CODES } from '../../events/close-codes.ts'

/** The way out of somebody who came in. */
function wayOut(entry: Entry): () => void {
  if (entry.kind !== 'in') throw new Error(`expected to come in, but: ${JSON.stringify(entry)}`)
  return entry.leave
}

const kinds = (gate: Gate, addresses: readonly (string | undefined)[], now = 0) =>
  addresses.map(address => gate.enter(address, now).kind)

describe('the places', () => {
  it('are as many as there are, whoever has them, and free again once somebody left', () => {
    const gate = new Gate({ maxClients: 3 })
    const leave = wayOut(gate.enter('127.0.0.1', 0))
    expect(kinds(gate, ['10.0.0.1', '10.0.0.2', '10.0.0.3', '::1'])).toEqual(['in', 'in', 'full', 'full'])
    leave()
    expect(kinds(gate, ['10.0.0.3', '10.0.0.4'])).toEqual(['in', 'full'])
    expect(gate.inside).toBe(3)
  })

  it('are given back once, however often somebody leaves', () => {
    const gate = new Gate({ maxClients: 1 })
    const leave = wayOut(gate.enter('10.0.0.1', 0))
    leave()
    leave()
    expect(kinds(gate, ['10.0.0.1', '10.0.0.1'])).toEqual(['in', 'full'])
  })

  it('are refused with a reason that fits a close frame', () => {
    const gate = new Gate({ maxClients: Number.MAX_SAFE_INTEGER, maxPerAddress: 0 })
    const entries = [gate.enter('10.0.0.1', 0), new Gate({ maxClients: 0 }).enter('10.0.0.1', 0)]
    for (const entry of entries) {
      if (entry.kind !== 'full') throw new Error(entry.kind)
      expect(Buffer.byteLength(entry.reason)).toBeLessThanOrEqual(123)
      expect(entry.reason).toMatch(/places/)
    }
    expect(CLOSE_CODES.TOO_MANY.comeBack).toBe(true)
  })
})

describe('one address', () => {
  const many = (address: string, count: number) => Array.from({ length: count }, () => address)

  it('has 64 places', () => {
    const gate = new Gate({ maxClients: 1000, connectBurst: 1000 })
    const leave = wayOut(gate.enter('10.0.0.1', 0))
    expect(new Set(kinds(gate, many('10.0.0.1', 63)))).toEqual(new Set(['in']))
    expect(kinds(gate, ['10.0.0.1', '10.0.0.2'])).toEqual(['full', 'in'])
    leave()
    expect(kinds(gate, ['10.0.0.1', '10.0.0.1'])).toEqual(['in', 'full'])
  })

  it.each(['127.0.0.1', '127.1.2.3', '127.255.255.255', '::1', '::ffff:127.0.0.1', '::ffff:127.9.9.9'])(
    'of this machine may have all: %s',
    address => {
      expect(isLoopback(address)).toBe(true)
      const gate = new Gate({ maxClients: 5000 })
      expect(new Set(kinds(gate, many(address, 5000)))).toEqual(new Set(['in']))
      expect(gate.remembered).toBe(0)
      expect(gate.enter(address, 0).kind).toBe('full')
    },
  )

  it.each([
    '128.0.0.1',
    '126.255.255.255',
    '::2',
    '::',
    '::ffff:10.0.0.1',
    '::ffff:128.0.0.1',
    '1::1',
    '',
    'x',
  ])('is not of this machine: "%s"', address => {
    expect(isLoopback(address)).toBe(false)
    const gate = new Gate({ maxClients: 100, maxPerAddress: 1 })
    expect(kinds(gate, [address, address])).toEqual(['in', 'full'])
  })

  it('that nobody knows is one address', () => {
    expect(kinds(new Gate({ maxClients: 100, maxPerAddress: 1 }), [undefined, undefined])).toEqual([
      'in',
      'full',
    ])
  })

  it.each([
    ['10.0.0.1', '::ffff:10.0.0.1'],
    ['2001:db8::1', '2001:db8::ffff:2'],
    ['2001:db8::1', '2001:0db8:0:0:ff::'],
    ['2001:db8:1:2::', '2001:db8:1:2:3:4:5:6'],
    ['fe80::1%eth0', 'fe80::2'],
    ['::2', '::3:0:0:0'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::'],
    ['64:ff9b::10.0.0.1', '64:ff9b::10.0.0.2'],
  ])('has more than one name: %s and %s', (one, other) => {
    expect(kinds(new Gate({ maxClients: 100, maxPerAddress: 1 }), [one, other])).toEqual(['in', 'full'])
  })

  it.each([
    ['10.0.0.1', '10.0.0.2'],
    ['2001:db8::1', '2001:db8:0:1::1'],
    ['2001:db8:1:2::', '2001:db8:1:3::'],
    ['::1:0:0:0:0', '::2:0:0:0:0'],
    ['1:2:3::', '1:2:4::'],
  ])('is another one: %s and %s', (one, other) => {
    expect(kinds(new Gate({ maxClients: 100, maxPerAddress: 1 }), [one, other])).toEqual(['in', 'in'])
  })

  it('may come 64 times at once, then four times a second, others as before', () => {
    const gate = new Gate({ maxClients: 1000, maxPerAddress: 1000 })
    expect(new Set(kinds(gate, many('10.0.0.1', 64)))).toEqual(new Set(['in']))
    expect(gate.enter('10.0.0.1', 0)).toEqual({ kind: 'hasty', retryAfterSeconds: 1 })
    expect(gate.enter('10.0.0.2', 0).kind).toBe('in')
    expect(kinds(gate, many('10.0.0.1', 6), 1000)).toEqual(['in', 'in', 'in', 'in', 'hasty', 'hasty'])
    expect(kinds(gate, many('10.0.0.1', 64), 17_001)).not.toContain('hasty')
  })

  it('is told when to come, and may then', () => {
    const gate = new Gate({ maxClients: 10, connectsPerMinute: 6, connectBurst: 1 })
    wayOut(gate.enter('10.0.0.1', 0))()
    expect(gate.enter('10.0.0.1', 0)).toEqual({ kind: 'hasty', retryAfterSeconds: 10 })
    // Asking too early does not make it later.
    expect(gate.enter('10.0.0.1', 2500)).toEqual({ kind: 'hasty', retryAfterSeconds: 8 })
    expect(gate.enter('10.0.0.1', 10_000).kind).toBe('in')
  })

  it('that is turned away for want of a place asks as fast as others, not faster', () => {
    const gate = new Gate({ maxClients: 0, connectBurst: 2 })
    expect(kinds(gate, many('10.0.0.1', 3))).toEqual(['full', 'full', 'hasty'])
  })
})

describe('what is kept', () => {
  const address = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

  it('does not grow with the addresses that come, and goes when they rest', () => {
    const gate = new Gate({ maxClients: 10 })
    for (let i = 0; i < 100_000; i++) wayOut(gate.enter(address(i), 0))()
    expect(gate.remembered).toBeLessThanOrEqual(4096)
    expect(gate.remembered).toBeGreaterThan(1000)
    wayOut(gate.enter('11.0.0.1', 60_000))()
    expect(gate.remembered).toBe(1)
  })

  it('does not grow with refusals either', () => {
    const gate = new Gate({ maxClients: 0 })
    for (let i = 0; i < 20_000; i++) gate.enter(address(i), i)
    expect(gate.remembered).toBeLessThanOrEqual(4096)
  })

  it('is right about who is in, whatever was forgotten', () => {
    const gate = new Gate({ maxClients: 20_000, maxPerAddress: 1 })
    for (let i = 0; i < 10_000; i++) gate.enter(address(i), 0)
    expect(gate.remembered).toBe(10_000)
    expect(kinds(gate, [address(0), address(9999)])).toEqual(['full', 'full'])
  })
})

describe('whoever comes and goes, in whatever order', () => {
  it('there are never more in than may be, nor fewer than could be', () => {
    const step = fc.record({ address: fc.nat(4), leave: fc.boolean(), after: fc.nat(2000) })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1, max: 12 }),
        (steps, maxClients) => {
          const gate = new Gate({ maxClients, maxPerAddress: 3, connectsPerMinute: 60, connectBurst: 5 })
          const inside: { address: number; leave: () => void }[] = []
          let now = 0
          for (const { address, leave, after } of steps) {
            now += after
            if (leave) {
              inside.splice(address % Math.max(1, inside.length), 1)[0]?.leave()
              continue
            }
            const of = inside.filter(one => one.address === address).length
            const room = inside.length < maxClients && (address === 0 || of < 3)
            const entry = gate.enter(address === 0 ? '::1' : `10.0.0.${address}`, now)
            if (entry.kind === 'hasty') {
              expect(address).not.toBe(0)
              expect(entry.retryAfterSeconds).toBeGreaterThanOrEqual(1)
            } else expect(entry.kind).toBe(room ? 'in' : 'full')
            if (entry.kind === 'in') inside.push({ address, leave: entry.leave })
            expect(gate.inside).toBe(inside.length)
          }
        },
      ),
    )
  })
})
