/**
 * Functions that old versions of Node.js lack. They are not imported by name, because the import of a missing name is a
 * syntax error, which does not say which version hookserver needs. The entry points check the version.
 */
import crypto from 'node:crypto'
import zlib, { type ZstdOptions } from 'node:zlib'

export const hash: typeof crypto.hash = crypto.hash
export const zstdCompressSync: typeof zlib.zstdCompressSync = zlib.zstdCompressSync

/**
 * Decompresses bytes into one buffer if they have the expected size. Node.js would allocate a buffer for each 16 KiB, and
 * join them, which takes twice as long for a large body.
 * @param expected The number of decompressed bytes. There may be more.
 */
export function zstdDecompressSync(bytes: Uint8Array, expected: number): Buffer {
  const chunkSize = Math.max(expected + 1, zlib.constants.Z_DEFAULT_CHUNK) // a full chunk would need another one
  return zlib.zstdDecompressSync(bytes, { chunkSize })
}

export const zstdCompress = (bytes: Uint8Array, options: ZstdOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    zlib.zstdCompress(bytes, options, (error, compressed) => (error ? reject(error) : resolve(compressed)))
  })
