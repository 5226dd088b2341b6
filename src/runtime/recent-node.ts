/**
 * Functions that old versions of Node.js lack. They are not imported by name, because the import of a missing name is a
 * syntax error, which does not say which version hookserver needs. The entry points check the version.
 */
import crypto from 'node:crypto'
import zlib, { type ZstdOptions } from 'node:zlib'

export const hash: typeof crypto.hash = crypto.hash
export const zstdCompressSync: typeof zlib.zstdCompressSync = zlib.zstdCompressSync
export const zstdDecompressSync: typeof zlib.zstdDecompressSync = zlib.zstdDecompressSync

export const zstdCompress = (bytes: Uint8Array, options: ZstdOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    zlib.zstdCompress(bytes, options, (error, compressed) => (error ? reject(error) : resolve(compressed)))
  })
