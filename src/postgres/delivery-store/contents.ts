/**
 * Headers and bodies of deliveries, compressed in packs. A transaction packs small contents together, because similar
 * contents compress better together. A large content has a pack of its own.
 */
import { constants } from 'node:zlib'
import { zstdCompress, zstdCompressSync, zstdDecompressSync } from '../../runtime/recent-node.ts'

/** The content of a delivery: a part of a pack. */
export interface Contents {
  /** The compressed pack. */
  bytes: Uint8Array
  /** Bytes before the headers in the decompressed pack. Default: 0. */
  start?: number | undefined
  headers_size: number
  size: number
  form: 'json' | 'form'
}

/** A content to pack. */
export interface NewContent {
  headers: Uint8Array
  body: Uint8Array
  /** Headers and body, compressed together. Only set if they are large: see `compressLarge`. */
  compressed?: Buffer | undefined
}

/** The place of a content: the index of its pack, and its offset in bytes in the decompressed pack. */
export interface Place {
  pack: number
  start: number
}

/**
 * A content of at least this many bytes is compressed alone, in Node.js's thread pool, so that the compression does not
 * block the event loop. This is also the maximum size of a pack with several contents, because a reader of one content
 * decompresses the whole pack.
 */
const large = 64 * 1024

/** Level 1 compresses a push of 6.9 kB to 1.4 kB. Higher levels save little and delay the reply. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Compresses the content of one delivery. */
export function pack(headers: Uint8Array, body: Uint8Array): Buffer | Promise<Buffer> {
  return compressLarge(headers, body) ?? zstdCompressSync(Buffer.concat([headers, body]), options)
}

/** Compresses a large content. @returns `undefined` for a small one, which `packAll` compresses. */
export function compressLarge(headers: Uint8Array, body: Uint8Array): Promise<Buffer> | undefined {
  return headers.length + body.length < large ? undefined : zstdCompress(Buffer.concat([headers, body]), options)
}

/**
 * Packs contents, the small ones together, because a compression takes long to start: compressing a push of 6.9 kB
 * alone takes 45 µs, and the start takes 35 of them.
 * @returns the packs, and the places in the order of the contents.
 */
export function packAll(contents: readonly NewContent[]): { packs: readonly Buffer[]; places: readonly Place[] } {
  const packs: Buffer[] = []
  const places: Place[] = []
  let [parts, size]: [Uint8Array[], number] = [[], 0]
  const flush = () => {
    if (parts.length > 0) packs.push(zstdCompressSync(Buffer.concat(parts, size), options))
    parts = []
    size = 0
  }
  for (const { headers, body, compressed } of contents) {
    const own = headers.length + body.length
    if (compressed || size + own > large) flush()
    places.push({ pack: packs.length, start: size })
    if (compressed) {
      packs.push(compressed)
    } else {
      parts.push(headers, body)
      size += own
    }
  }
  flush()
  return { packs, places }
}

/**
 * Maximum packs that an `Unpacker` keeps. At least two are needed: two transactions store concurrently, so adjacent
 * deliveries may alternate between two packs.
 */
const maxUnpacked = 4

/** Decompresses a pack once for several adjacent deliveries in it. */
export class Unpacker {
  readonly #packs = new Map<Uint8Array, Buffer>()

  /** @returns copies, because a view would keep the whole pack in memory. @throws {Error} if the bytes are damaged. */
  unpack({ bytes, start = 0, headers_size, size }: Omit<Contents, 'form'>): { headers: string; body: Uint8Array } {
    const body = start + headers_size
    const end = body + size
    const pack = this.#packs.get(bytes) ?? this.#add(bytes, end)
    if (pack.length < end) throw new Error("The pack is too short for the delivery's contents")
    return { headers: pack.toString('utf8', start, body), body: new Uint8Array(pack.subarray(body, end)) }
  }

  /** @param size The number of decompressed bytes that are read. */
  #add(bytes: Uint8Array, size: number): Buffer {
    const pack = zstdDecompressSync(bytes, size)
    for (const oldest of this.#packs.keys()) {
      if (this.#packs.size < maxUnpacked) break
      this.#packs.delete(oldest)
    }
    this.#packs.set(bytes, pack)
    return pack
  }
}

/** A row with the content of a delivery. */
export interface ContentRow extends Omit<Contents, 'bytes' | 'form'> {
  pack: number
  /** The bytes of the pack. `null` if the pack is gone, or if an earlier row has its bytes: see `withPacks`. */
  bytes: Uint8Array | null
}

/** An SQL expression: the id of a delivery's pack. @param deliveries The table. */
export const packOf = (deliveries: string): string => `coalesce(${deliveries}.pack, ${deliveries}.id)`

/**
 * The columns of a `ContentRow`. Of the rows that share a pack, only the first one by id has the bytes of the pack. A
 * subquery seeks each pack in the index. With a join, PostgreSQL would read the whole table `contents` as long as it has
 * only a few thousand rows.
 */
export const contentColumns = (deliveries: string): string => `
  ${packOf(deliveries)} as pack, start, headers_size, size,
  case when row_number() over (partition by ${packOf(deliveries)} order by ${deliveries}.id) = 1
    then (select bytes from contents where delivery_id = ${packOf(deliveries)})
  end as bytes`

/** Gives each row the bytes of its pack. @param rows In the order of their ids. */
export function withPacks<Row extends ContentRow>(rows: readonly Row[]): Row[] {
  const packs = new Map<number, Uint8Array | null>()
  return rows.map((row) => {
    const bytes = packs.get(row.pack) ?? row.bytes
    packs.set(row.pack, bytes)
    return { ...row, bytes }
  })
}
