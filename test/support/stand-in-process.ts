/**
 * A compositor process that misbehaves, as the variable STAND_IN says: run in the place of
 * compositor/process.ts.
 */
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

/** The real process, whose device is lost when the second batch comes. */
async function loseDevice(): Promise<void> {
  const { openGpu } = await import('../../compositor/gpu.ts')
  await openGpu()
  const { requestDevice } = GPUAdapter.prototype
  let device: GPUDevice | undefined
  GPUAdapter.prototype.requestDevice = async function (...args) {
    device = await requestDevice.apply(this, args)
    return device
  }
  let batches = 0
  process.on('message', (request: Request) => {
    if (request.type === 'batch' && ++batches === 2) device?.destroy()
  })
  await import('../../compositor/process.ts')
}

const name = process.env.STAND_IN ?? ''
if (name === 'lost') await loseDevice()
else process.on('message', BEHAVIOURS[name] as (request: Request) => void)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
// So that it lives on whatever becomes of its channel, as a process that hangs would.
if (name === 'silent' || name === 'aloof') setInterval(() => {}, 1000)
