/**
 * A compositor process that misbehaves, as the variable STAND_IN says: run in the place of
 * compositor/process.ts.
 */
import { writeFileSync } from 'node:fs'
import type { Reply, Request } from '../../compositor/messages.ts'

function tell(reply: Reply, then: () => void = () => {}): void {
  process.send?.(reply, undefined, undefined, then)
}

const BEHAVIOURS: Record<string, (request: Request) => void> = {
  /** Hears nothing, not even that it should stop. */
  silent() {},
  /** Ends at whatever it is told. */
  crash: () => process.exit(3),
  /** Begins well, and fails at work. */
  fault(request) {
    if (request.type === 'start') tell({ type: 'ready' })
    else tell({ type: 'failed', reason: 'GPU error: a stand-in for one' }, () => process.exit(1))
  },
  /** Fails, and lives on. */
  undead(request) {
    if (request.type === 'start') tell({ type: 'failed', reason: 'the end of a stand-in' })
  },
  /** Lives on without its channel. */
  aloof(request) {
    if (request.type === 'start') tell({ type: 'ready' })
    else process.disconnect?.()
  },
  /** Has a GPU as one can buy it, whose driver is talkative. */
  hardware() {
    process.stdout.write('Warning: said on stdout\n')
    process.stderr.write('\nWarning: said on stderr\n')
    const adapter = { name: 'NVIDIA GeForce RTX 4060', software: false }
    tell({ type: 'adapter', adapter, failure: null }, () => process.exit())
  },
  /** Is on a system that the GPU's library is not made for. */
  unloadable() {
    const failure = 'WebGPU does not load on this system (no libc)'
    tell({ type: 'adapter', adapter: null, failure }, () => process.exit())
  },
}

/** The real process, which loses its device when it gets the `nth` request of this type. */
async function loseDevice(type: Request['type'], nth: number): Promise<void> {
  const { openGpu } = await import('../../compositor/gpu.ts')
  await openGpu()
  const { requestDevice } = GPUAdapter.prototype
  let device: GPUDevice | undefined
  GPUAdapter.prototype.requestDevice = async function (...args) {
    device = await requestDevice.apply(this, args)
    return device
  }
  await runReal(type, nth, () => device?.destroy())
}

/** Whether no process of this test has met with its accident yet; from then on one has. */
function isFirst(): boolean {
  try {
    writeFileSync(process.env.STAND_IN_ONCE ?? '', '', { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

/**
 * The real process, which meets with this when it gets the `nth` request of this type, before it looks at it; with
 * batches, which the next one gets again, only the first process does.
 */
async function runReal(type: Request['type'], nth: number, accident: () => void): Promise<void> {
  let seen = 0
  process.on('message', (request: Request) => {
    if (request.type === type && ++seen === nth && (type !== 'batch' || isFirst())) accident()
  })
  await import('../../compositor/process.ts')
}

/** Takes memory until there is none left. */
function fillMemory(): void {
  for (const kept: number[][] = []; ; ) kept.push(Array.from({ length: 100_000 }, (_, i) => i + 0.5))
}

const REAL: Record<string, () => Promise<void>> = {
  lost: () => loseDevice('batch', 2),
  'lost-asked': () => loseDevice('view', 2),
  abort: () => runReal('view', 2, () => process.abort()),
  poisoned: () => runReal('pick', 1, () => process.exit(3)),
  hungry: () => runReal('batch', 2, fillMemory),
  'hungry-asked': () => runReal('view', 2, fillMemory),
}

const name = process.env.STAND_IN ?? ''
if (REAL[name] !== undefined) await REAL[name]()
else process.on('message', BEHAVIOURS[name] as (request: Request) => void)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
// So that it lives on whatever becomes of its channel, as a process that hangs would.
if (name === 'silent' || name === 'aloof') setInterval(() => {}, 1000)
