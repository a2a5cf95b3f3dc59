/** How long passes take on the GPU itself, for measurements. */
import { TokenscopeError } from '../events/errors.ts'

const STAMPS_BYTES = 16
/** Copies that are timed together: one alone may be shorter than the clock's step. */
const COPIES = 16

/** Takes the time of one compute pass after another. */
export class GpuTimer {
  /** What the last pass took, in ms; null before the first. */
  last: number | null = null
  readonly #device: GPUDevice
  readonly #stamps: GPUQuerySet
  readonly #resolved: GPUBuffer
  readonly #read: GPUBuffer

  /** @throws TokenscopeError GPU_UNAVAILABLE if the device was not opened with `timestamp-query` */
  constructor(device: GPUDevice) {
    if (!device.features.has('timestamp-query')) {
      throw new TokenscopeError('GPU_UNAVAILABLE', 'the GPU device has no timestamps')
    }
    const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage
    this.#device = device
    this.#stamps = device.createQuerySet({ type: 'timestamp', count: 2 })
    this.#resolved = device.createBuffer({ size: STAMPS_BYTES, usage: QUERY_RESOLVE | COPY_SRC })
    this.#read = device.createBuffer({ size: STAMPS_BYTES, usage: MAP_READ | COPY_DST })
  }

  /** For the descriptor of the pass. */
  get writes(): GPUComputePassTimestampWrites {
    return { querySet: this.#stamps, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
  }

  /** Records that the stamps come back; after the pass. */
  record(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#stamps, 0, 2, this.#resolved, 0)
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#read, 0, STAMPS_BYTES)
  }

  /** Sets `last`, once what was recorded is submitted. */
  async read(): Promise<void> {
    await this.#read.mapAsync(GPUMapMode.READ)
    const [begin, end] = new BigUint64Array(this.#read.getMappedRange()) as unknown as [bigint, bigint]
    this.last = Number(end - begin) / 1e6
    this.#read.unmap()
  }

  /**
   * Bytes per second that the GPU reads and writes together when it copies one buffer to another: the best of
   * some rounds. No kernel that reads or writes as much is faster.
   *
   * @param bytes size of the buffers
   */
  async copyBandwidth(bytes: number, rounds = 5): Promise<number> {
    const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    const [from, to] = [
      this.#device.createBuffer({ size: bytes, usage }),
      this.#device.createBuffer({ size: bytes, usage }),
    ]
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      const encoder = this.#device.createCommandEncoder()
      // Only passes take the time: an empty one before the copies, and one after them.
      encoder.beginComputePass({ timestampWrites: { querySet: this.#stamps, endOfPassWriteIndex: 0 } }).end()
      for (let i = 0; i < COPIES; i++) encoder.copyBufferToBuffer(from, 0, to, 0, bytes)
      encoder
        .beginComputePass({ timestampWrites: { querySet: this.#stamps, beginningOfPassWriteIndex: 1 } })
        .end()
      this.record(encoder)
      this.#device.queue.submit([encoder.finish()])
      await this.read()
      best = Math.min(best, this.last as number)
    }
    from.destroy()
    to.destroy()
    return (2 * bytes * COPIES) / (best / 1000)
  }

  destroy(): void {
    this.#stamps.destroy()
    this.#resolved.destroy()
    this.#read.destroy()
  }
}
