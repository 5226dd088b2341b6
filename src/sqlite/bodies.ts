import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** A body as it is kept. */
export interface PackedBody {
  /** zstd. */
  bytes: Uint8Array
  /** Of what came, as `size`. */
  sha256: Uint8Array
  size: number
}

/** Level 1: a push of 6.9 kB becomes 1.4 kB, and it is the disk that decides how many fit in a second. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Bytes from which on a body is compressed in the thread pool of Node.js, so that no other has to wait for it. */
export const large: number = 256 * 1024

const compress = promisify(zstdCompress) as (bytes: Uint8Array, options: object) => Promise<Uint8Array>

export function pack(bytes: Uint8Array): PackedBody {
  return { bytes: zstdCompressSync(bytes, options), sha256: hash('sha256', bytes, 'buffer'), size: bytes.length }
}

export async function packLarge(bytes: Uint8Array): Promise<PackedBody> {
  const [sha256, size] = [hash('sha256', bytes, 'buffer'), bytes.length]
  return { bytes: await compress(bytes, options), sha256, size }
}

/** A copy of its own: what zlib gives is a view of a far larger buffer, which would travel to other threads in full. */
export function unpack(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(zstdDecompressSync(bytes))
}
