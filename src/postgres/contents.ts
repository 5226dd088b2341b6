import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** Headers and body of a delivery as the table stores them. */
export interface Contents {
  bytes: Uint8Array
  headers_size: number
  size: number
  form: 'json' | 'form'
}

/** Bytes from which a delivery is compressed in Node.js's thread pool, so that it does not block the event loop. */
const asyncSize = 64 * 1024

/** Level 1 compresses a push of 6.9 kB to 1.4 kB. Higher levels save little and delay the answer. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

const compress = promisify(zstdCompress) as (bytes: Uint8Array, options: object) => Promise<Buffer>

/** Compresses headers and body together. Returns a promise only for large ones: for others, waiting costs more. */
export function pack(headers: Uint8Array, body: Uint8Array): Buffer | Promise<Buffer> {
  const content = Buffer.concat([headers, body])
  return content.length < asyncSize ? zstdCompressSync(content, options) : compress(content, options)
}

/** @throws {Error} if the bytes are damaged. */
export function unpack(bytes: Uint8Array, headersSize: number, size: number): { headers: string; body: Uint8Array } {
  const content = zstdDecompressSync(bytes)
  if (content.length < headersSize + size) throw new Error('It ends too early')
  return {
    headers: content.toString('utf8', 0, headersSize),
    body: new Uint8Array(content.subarray(headersSize, headersSize + size)),
  }
}
