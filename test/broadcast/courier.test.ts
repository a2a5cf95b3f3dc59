import { describe, expect, it } from 'vitest'
import { Courier } from '../../broadcast/courier.ts'

/** Waits until a courier has had so many turns. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate)
}

describe('a courier', () => {
  it('sends a part to each in turn, until nobody has more', async () => {
    const left = new Map([
      ['a', 3],
      ['b', 1],
      ['c', 2],
    ])
    const sent: string[] = []
    const courier = new Courier<string>({
      send: asker => {
        sent.push(asker)
        left.set(asker, (left.get(asker) ?? 0) - 1)
        return (left.get(asker) ?? 0) > 0
      },
      fault: () => {},
    })
    for (const asker of left.keys()) courier.add(asker)
    courier.add('a')
    expect(sent).toEqual([])
    while (sent.length < 6) await turns(1)
    await turns(3)
    expect(sent).toEqual(['a', 'b', 'c', 'a', 'c', 'a'])
    courier.add('b')
    while (sent.length < 7) await turns(1)
  })

  it('lets others have their turn between two slices', async () => {
    let sent = 0
    const courier = new Courier<string>({
      send: () => {
        const until = performance.now() + 1
        while (performance.now() < until);
        return ++sent < 40
      },
      fault: () => {},
    })
    courier.add('a')
    const seen: number[] = []
    while (sent < 40) {
      await new Promise(resolve => setTimeout(resolve))
      seen.push(sent)
    }
    expect(new Set(seen).size).toBeGreaterThan(4)
  })

  it('lets go of one for whom it fails, and of one that went', async () => {
    const faults: string[] = []
    const sent: string[] = []
    const courier = new Courier<string>({
      send: asker => {
        if (asker === 'broken') throw new Error('oops')
        sent.push(asker)
        return false
      },
      fault: (asker, error) => faults.push(`${asker}: ${(error as Error).message}`),
    })
    for (const asker of ['broken', 'gone', 'whole']) courier.add(asker)
    courier.delete('gone')
    while (sent.length < 1) await turns(1)
    await turns(3)
    expect(faults).toEqual(['broken: oops'])
    expect(sent).toEqual(['whole'])
  })
})
