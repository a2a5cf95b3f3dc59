import { BLOCK_CELLS } from './cell.ts'
import { GpuUsage } from './gpu-usage.ts'

/** Slots at first; doubled whenever they do not do. */
const FIRST_SLOTS = 256
/** `NO_BLOCK` of shaders/map-frame.wgsl. */
const NO_BLOCK = 0xffff_ffff

const NUMBER_BYTES = 4
const ENTRY_BYTES = 2

/**
 * The blocks of the map on the GPU: a slot each, with the block's number in one buffer and its 256 cells in
 * another. It is written to here and sent by `upload`, only what changed, in one piece for each run of slots.
 */
export class BlockBuffer {
  readonly #device: GPUDevice
  #numbers = new Uint32Array(FIRST_SLOTS).fill(NO_BLOCK)
  #entries = new Uint16Array(FIRST_SLOTS * BLOCK_CELLS)
  #changed = new Uint8Array(FIRST_SLOTS)
  #numberBuffer: GPUBuffer
  #entryBuffer: GPUBuffer
  /** One more than the highest slot that was ever filled. */
  #count = 0

  constructor(device: GPUDevice) {
    this.#device = device
    this.#numberBuffer = this.#create(this.#numbers, GpuUsage.vertex)
    this.#entryBuffer = this.#create(this.#entries, GpuUsage.storage)
  }

  /** Slots to draw, those in between that are empty included. */
  get count(): number {
    return this.#count
  }

  /** A `u32` a slot: the number of its block. */
  get numbers(): GPUBuffer {
    return this.#numberBuffer
  }

  /** 256 `u16` a slot: its cells, row by row. Another buffer once there are more slots than it held. */
  get entries(): GPUBuffer {
    return this.#entryBuffer
  }

  /**
   * The slot holds this block from now on.
   *
   * @param number the block's number, see `blockNumber`
   * @returns its 256 entries, row by row, to be written before the next `upload`
   */
  fill(slot: number, number: number): Uint16Array {
    this.#count = Math.max(this.#count, slot + 1)
    while (slot >= this.#numbers.length) this.#grow()
    this.#numbers[slot] = number
    this.#changed[slot] = 1
    return this.#entries.subarray(slot * BLOCK_CELLS, (slot + 1) * BLOCK_CELLS)
  }

  /** The slot holds nothing from now on. */
  empty(slot: number): void {
    this.#numbers[slot] = NO_BLOCK
    this.#changed[slot] = 1
  }

  /** Sends what was written since the last time; returns the bytes sent. */
  upload(): number {
    let sent = 0
    for (let slot = this.#changed.indexOf(1); slot !== -1; slot = this.#changed.indexOf(1, slot)) {
      const gap = this.#changed.indexOf(0, slot)
      const end = gap === -1 ? this.#changed.length : gap
      sent += this.#send(slot, end)
      this.#changed.fill(0, slot, end)
      slot = end
    }
    return sent
  }

  /** Frees the memory on the GPU. */
  destroy(): void {
    this.#numberBuffer.destroy()
    this.#entryBuffer.destroy()
  }

  #send(from: number, to: number): number {
    const { queue } = this.#device
    const cells = BLOCK_CELLS
    queue.writeBuffer(this.#numberBuffer, from * NUMBER_BYTES, this.#numbers, from, to - from)
    const at = from * cells
    queue.writeBuffer(this.#entryBuffer, at * ENTRY_BYTES, this.#entries, at, (to - from) * cells)
    return (to - from) * (NUMBER_BYTES + cells * ENTRY_BYTES)
  }

  #grow(): void {
    const slots = this.#numbers.length * 2
    const numbers = new Uint32Array(slots).fill(NO_BLOCK)
    numbers.set(this.#numbers)
    const entries = new Uint16Array(slots * BLOCK_CELLS)
    entries.set(this.#entries)
    this.destroy()
    this.#numbers = numbers
    this.#entries = entries
    this.#numberBuffer = this.#create(numbers, GpuUsage.vertex)
    this.#entryBuffer = this.#create(entries, GpuUsage.storage)
    // The new buffers are blank: all that is known goes there again.
    this.#changed = new Uint8Array(slots).fill(1, 0, this.#count)
  }

  #create({ byteLength }: Uint32Array | Uint16Array, usage: number): GPUBuffer {
    return this.#device.createBuffer({ size: byteLength, usage: usage | GpuUsage.copyDst })
  }
}
