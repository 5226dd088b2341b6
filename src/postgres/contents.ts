import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** Bytes from which on a delivery is compressed in the thread pool of Node.js, so that no other has to wait for it. */
const large = 64 * 1024

/** Level 1: a push of 6.9 kB becomes 1.4 kB. Higher ones save little, and cost the time of an answer. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

const compress = promisify(zstdCompress) as (bytes: Uint8Array, options: object) => Promise<Buffer>

/** Headers and body as they are kept: together, compressed. Ends as a promise only for what is large. */
export function pack(headers: Uint8Array, body: Uint8Array): Buffer | Promise<Buffer> {
  const content = Buffer.concat([headers, body])
  return content.length < large ? zstdCompressSync(content, options) : compress(content, options)
}

/** @throws if it is damaged. */
export function unpack(bytes: Uint8Array, head: number, size: number): { headers: string; body: Uint8Array } {
  const content = zstdDecompressSync(bytes)
  if (content.length < head + size) throw new Error('It ends too early')
  return { headers: content.toString('utf8', 0, head), body: new Uint8Array(content.subarray(head, head + size)) }
}
