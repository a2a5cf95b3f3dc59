import { DirtyRanges } from './dirty-ranges.ts'
import type { Kernels } from './gpu-kernels.ts'
import { CHUNK_END, CHUNK_TOKENS, CHUNK_WORDS, COLUMNS, PAGE_CHUNKS, PAGE_TOKENS } from './tokens/record.ts'
import type { TokenPage } from './tokens/token-page.ts'

const RECORDS_BYTES = COLUMNS * PAGE_TOKENS * 4
const CHUNKS_BYTES = PAGE_CHUNKS * CHUNK_WORDS * 4
const FLOW_BYTES = PAGE_TOKENS * 4
/** The least that a page has room for in `pieces`, in words. */
const FEW_PIECES = 1024

/** What a page has on the GPU, as far as it was uploaded. */
export class GpuPage {
  /** The first chunk with tokens, and the one after the last, of what was uploaded. */
  used: [first: number, end: number] = [0, 0]
  readonly #device: GPUDevice
  readonly #kernels: Kernels
  readonly #page: TokenPage
  readonly #facts: GPUBuffer
  readonly #records: GPUBuffer
  readonly #chunks: GPUBuffer
  readonly #dirty = new DirtyRanges()
  readonly #dirtyFlow = new DirtyRanges()
  #pieces: GPUBuffer
  #piecesUploaded = 0
  #flow: GPUBuffer | null = null
  /** The array that `#flow` holds. */
  #flowArray: Uint32Array | null = null
  #readGroup: GPUBindGroup | null = null
  #flowGroup: GPUBindGroup | null = null

  constructor(device: GPUDevice, kernels: Kernels, page: TokenPage) {
    const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage
    this.#device = device
    this.#kernels = kernels
    this.#page = page
    this.#facts = device.createBuffer({ size: 16, usage: UNIFORM | COPY_DST })
    this.#records = device.createBuffer({ size: RECORDS_BYTES, usage: STORAGE | COPY_DST })
    this.#chunks = device.createBuffer({ size: CHUNKS_BYTES, usage: STORAGE | COPY_DST })
    this.#pieces = device.createBuffer({ size: FEW_PIECES * 4, usage: STORAGE | COPY_DST | COPY_SRC })
    device.queue.writeBuffer(this.#facts, 0, Uint32Array.of(page.number, 0, 0))
    // What is nowhere written to is 0, here and there.
    const [first, end] = usedChunks(page.chunks)
    this.#dirty.add(first * CHUNK_TOKENS, end * CHUNK_TOKENS)
  }

  wrote(first: number, end: number): void {
    this.#dirty.add(first, end)
  }

  wroteFlow(first: number, end: number): void {
    // Another array is taken in whole when it is next used: a call may still be reading the buffer of this one.
    if (this.#page.flow === this.#flowArray) this.#dirtyFlow.add(first, end)
  }

  /** Uploads what was written, but pieces. What is submitted afterwards finds it. */
  upload(): void {
    const { records, chunks } = this.#page
    const queue = this.#device.queue
    const ranges = this.#dirty.take()
    for (const [first, end] of ranges) {
      for (let column = 0; column < COLUMNS; column++) {
        const at = column * PAGE_TOKENS + first
        queue.writeBuffer(this.#records, at * 4, records, at, end - first)
      }
    }
    if (ranges.length > 0) {
      // All headers: the one before a new chunk changes as well, wherever it is.
      queue.writeBuffer(this.#chunks, 0, chunks)
      this.used = usedChunks(chunks)
      queue.writeBuffer(this.#facts, 0, Uint32Array.of(this.#page.number, ...this.used))
    }
    this.#takeFlow()
    if (this.#flow === null || this.#flowArray === null) return
    for (const [first, end] of this.#dirtyFlow.take()) {
      queue.writeBuffer(this.#flow, first * 4, this.#flowArray, first, end - first)
    }
  }

  /** Uploads pieces that were added; they must fit into a buffer that shaders can be given. */
  uploadPieces(): void {
    const { pieces, piecesUsed } = this.#page
    if (piecesUsed === this.#piecesUploaded) return
    if (piecesUsed * 4 > this.#pieces.size) {
      const grown = this.#device.createBuffer({
        size: 2 ** Math.ceil(Math.log2(piecesUsed)) * 4,
        usage: this.#pieces.usage,
      })
      if (this.#piecesUploaded > 0) {
        const encoder = this.#device.createCommandEncoder()
        encoder.copyBufferToBuffer(this.#pieces, 0, grown, 0, this.#piecesUploaded * 4)
        this.#device.queue.submit([encoder.finish()])
      }
      this.#pieces.destroy()
      this.#pieces = grown
      this.#readGroup = null
      this.#flowGroup = null
    }
    const from = this.#piecesUploaded
    this.#device.queue.writeBuffer(this.#pieces, from * 4, pieces, from, piecesUsed - from)
    this.#piecesUploaded = piecesUsed
  }

  /** What `flow` made of the page; it must have `page.flow`. */
  get flow(): GPUBuffer {
    return this.#flow as GPUBuffer
  }

  /** Group 0 of kernels that read the page. */
  get readGroup(): GPUBindGroup {
    // Where flow is not laid out, nobody reads it, but something must be bound.
    const buffers = [this.#facts, this.#records, this.#chunks, this.#flow ?? this.#pieces]
    this.#readGroup ??= this.#group(this.#kernels.page, buffers)
    return this.#readGroup
  }

  /** Group 0 of kernels that lay out `flow`; the page must have `page.flow`. */
  get flowGroup(): GPUBindGroup {
    const buffers = [this.#facts, this.#records, this.#chunks, this.flow, this.#pieces]
    this.#flowGroup ??= this.#group(this.#kernels.flowPage, buffers)
    return this.#flowGroup
  }

  destroy(): void {
    for (const buffer of [this.#facts, this.#records, this.#chunks, this.#pieces, this.#flow]) {
      buffer?.destroy()
    }
  }

  #group(layout: GPUBindGroupLayout, buffers: GPUBuffer[]): GPUBindGroup {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }))
    return this.#device.createBindGroup({ layout, entries })
  }

  /** Has a buffer if the page has flow, and none if not; a new one if the page's array is another. */
  #takeFlow(): void {
    const { flow } = this.#page
    if (flow === this.#flowArray) return
    this.#flow?.destroy()
    this.#flow = null
    this.#flowArray = flow
    this.#readGroup = null
    this.#flowGroup = null
    this.#dirtyFlow.take()
    if (flow === null) return
    const [first, end] = usedChunks(this.#page.chunks)
    this.#dirtyFlow.add(first * CHUNK_TOKENS, end * CHUNK_TOKENS)
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage
    this.#flow = this.#device.createBuffer({ size: FLOW_BYTES, usage: STORAGE | COPY_DST | COPY_SRC })
  }
}

function usedChunks(chunks: Uint32Array): [first: number, end: number] {
  const has = (chunk: number) => (chunks[chunk * CHUNK_WORDS + CHUNK_END] as number) > 0
  let first = 0
  while (first < PAGE_CHUNKS && !has(first)) first++
  let end = PAGE_CHUNKS
  while (end > first && !has(end - 1)) end--
  return [first, end]
}
