import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { CODEC_RAW, CODEC_ZSTD } from './schema.ts'

/** Bytes as a table keeps them. */
export interface Packed {
  codec: number
  data: Uint8Array
}

/** Below so many bytes, the head of what is compressed takes what it saves. */
const WORTH_TRYING = 64
/** On answers and entries the fastest level makes as few bytes as the default one, in two thirds of the time. */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Compresses bytes where that makes them fewer. */
export function packed(bytes: Uint8Array): Packed {
  if (bytes.length >= WORTH_TRYING) {
    const data = zstdCompressSync(bytes, OPTIONS)
    if (data.length < bytes.length) return { codec: CODEC_ZSTD, data }
  }
  return { codec: CODEC_RAW, data: bytes }
}

/** The bytes that were packed. @throws Error if they are damaged */
export function unpacked({ codec, data }: Packed): Uint8Array {
  if (codec === CODEC_RAW) return data
  if (codec !== CODEC_ZSTD) throw new Error(`nothing is known of the codec ${codec}`)
  return zstdDecompressSync(data)
}
