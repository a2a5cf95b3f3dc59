import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Circuit, type CircuitState } from '../../../bridge/pool/circuit.ts'

let answers: boolean
let changes: CircuitState[]
let probes: number

beforeEach(() => {
  vi.useFakeTimers()
  answers = true
  changes = []
  probes = 0
})
afterEach(() => vi.useRealTimers())

function newCircuit() {
  return new Circuit({
    probe: async () => {
      probes++
      return answers
    },
    onChange: state => changes.push(state),
  })
}

function go(circuit: Circuit, result: 'ok' | 'failed' | 'neutral', times = 1, mayOpen = true) {
  for (let i = 0; i < times; i++) circuit.enter().end(result, mayOpen)
}

function opened() {
  const circuit = newCircuit()
  go(circuit, 'ok', 17)
  go(circuit, 'failed', 3)
  expect(circuit.state).toBe('open')
  return circuit
}

describe('a circuit', () => {
  test('opens on failures that are not usual, and says since when', () => {
    vi.setSystemTime(5_000)
    const circuit = opened()
    expect(circuit.passable).toBe(false)
    expect(circuit.report()).toMatchObject({ state: 'open', openedAt: 5_000, samples: 20, failures: 3 })
    expect(changes).toEqual(['open'])
  })

  test('is not opened by clients that go, however many', () => {
    const circuit = newCircuit()
    go(circuit, 'ok', 18)
    go(circuit, 'failed', 2)
    go(circuit, 'neutral', 1000)
    expect([circuit.state, circuit.report().samples]).toEqual(['closed', 20])
  })

  test('stays closed while nobody else could take the request, and opens with the next failure once somebody can', () => {
    const circuit = newCircuit()
    go(circuit, 'failed', 100, false)
    expect(circuit.state).toBe('closed')
    go(circuit, 'failed')
    expect(circuit.state).toBe('open')
  })

  test('lets one request at a time pass after a probe, and closes after three that go well', async () => {
    const circuit = opened()
    await vi.advanceTimersByTimeAsync(999)
    expect([probes, circuit.state]).toEqual([0, 'open'])
    await vi.advanceTimersByTimeAsync(1)
    expect([probes, circuit.state, circuit.passable]).toEqual([1, 'half_open', true])
    const first = circuit.enter()
    expect(circuit.passable).toBe(false)
    first.end('ok', true)
    expect(circuit.passable).toBe(true)
    go(circuit, 'ok')
    expect(circuit.state).toBe('half_open')
    go(circuit, 'ok')
    expect(circuit.report()).toMatchObject({ state: 'closed', openedAt: null, samples: 0 })
    expect(changes).toEqual(['open', 'half_open', 'closed'])
  })

  test('waits twice as long after each failure of a probe or a trial, up to a minute', async () => {
    const circuit = opened()
    answers = false
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      const before = probes
      let waited = 0
      while (probes === before) {
        await vi.advanceTimersByTimeAsync(1000)
        waited++
      }
      waits.push(waited)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    answers = true
    await vi.advanceTimersByTimeAsync(60_000)
    expect(circuit.state).toBe('half_open')
    go(circuit, 'failed')
    expect(circuit.state).toBe('open')
    const before = probes
    await vi.advanceTimersByTimeAsync(59_999)
    expect(probes).toBe(before)
  })

  test('learns nothing from a client that goes in the middle of a trial', async () => {
    const circuit = opened()
    await vi.advanceTimersByTimeAsync(1000)
    go(circuit, 'neutral', 10)
    expect([circuit.state, circuit.passable]).toEqual(['half_open', true])
    go(circuit, 'ok', 3)
    expect(circuit.state).toBe('closed')
  })

  test('takes no result of a request that began before it opened', async () => {
    const circuit = newCircuit()
    const old = [circuit.enter(), circuit.enter(), circuit.enter(), circuit.enter()]
    go(circuit, 'ok', 17)
    go(circuit, 'failed', 3)
    old[0]?.end('failed', true)
    await vi.advanceTimersByTimeAsync(1000)
    old[1]?.end('failed', true)
    expect(circuit.state).toBe('half_open')
    old[2]?.end('ok', true)
    go(circuit, 'ok', 2)
    expect(circuit.state).toBe('half_open')
    go(circuit, 'ok')
    old[3]?.end('failed', true)
    expect([circuit.state, circuit.report().failures]).toEqual(['closed', 0])
  })

  test('is asked nothing any more once it is stopped', async () => {
    const circuit = opened()
    circuit.stop()
    await vi.advanceTimersByTimeAsync(600_000)
    expect([probes, vi.getTimerCount()]).toEqual([0, 0])
  })

  type Step = { result: 'ok' | 'failed' | 'neutral'; mayOpen: boolean; answers: boolean; ms: number }
  const step: fc.Arbitrary<Step> = fc.record({
    result: fc.constantFrom('ok', 'failed', 'neutral'),
    mayOpen: fc.boolean(),
    answers: fc.boolean(),
    ms: fc.nat(5000),
  })

  test('never opens below twenty results or three failures, never where nobody else is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 150 }), async steps => {
        const circuit = newCircuit()
        let samples = 0
        let failures = 0
        for (const { result, mayOpen } of steps) {
          if (result !== 'neutral') samples++
          if (result === 'failed') failures++
          const before = circuit.state
          go(circuit, result, 1, mayOpen)
          if (before === 'closed' && circuit.state === 'open') {
            expect(mayOpen).toBe(true)
            expect(samples).toBeGreaterThanOrEqual(20)
            expect(failures).toBeGreaterThanOrEqual(3)
            break
          }
        }
        circuit.stop()
      }),
    )
  })

  test('closes again, whatever was before, once the instance does well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 100 }), async steps => {
        const circuit = newCircuit()
        go(circuit, 'ok', 20)
        for (const one of steps) {
          answers = one.answers
          go(circuit, one.result, 1, one.mayOpen)
          await vi.advanceTimersByTimeAsync(one.ms)
        }
        answers = true
        for (let i = 0; i < 10 && circuit.state !== 'closed'; i++) {
          await vi.advanceTimersByTimeAsync(60_000)
          if (circuit.passable) go(circuit, 'ok')
        }
        expect(circuit.state).toBe('closed')
        circuit.stop()
      }),
    )
  })
})
