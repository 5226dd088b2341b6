import { constants } from 'node:zlib'
import { zstdCompress, zstdCompressSync, zstdDecompressSync } from '../../runtime/recent-node.ts'
import type { Connection } from '../connection/connection.ts'

/**
 * The place of a delivery's contents, which are its headers as JSON, and then its body. A transaction compresses the
 * contents of several deliveries together, in a pack, because deliveries are similar, and because starting a
 * compression costs more than continuing it.
 */
export interface Place {
  pack: number
  start: number
  /** Bytes of the headers. */
  headers_size: number
  /** Bytes of the body. */
  size: number
}

/** Maximum bytes of a pack of several deliveries, decompressed. Contents of at least this size have their own pack. */
export const large: number = 256 * 1024

/** Level 1 compresses a push of 6.9 kB to 1.4 kB. Higher levels save little and delay the commit. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Compresses in the thread pool of Node.js, so that other deliveries do not wait. */
export const compressLarge = (content: Uint8Array): Promise<Uint8Array> => zstdCompress(content, options)

/** Collects the contents that a transaction stores. */
export class Packer {
  readonly #connection: Connection
  /** The collected contents. */
  readonly #bytes = Buffer.allocUnsafeSlow(large)
  #pack = 0
  #size = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Adds the contents of the delivery that is inserted next. */
  add(content: Uint8Array): Pick<Place, 'pack' | 'start'> {
    if (content.length >= large) return this.addCompressed(zstdCompressSync(content, options))
    if (this.#size + content.length > large) this.flush()
    if (this.#size === 0) this.#pack = lastId(this.#connection) + 1
    const start = this.#size
    this.#bytes.set(content, start)
    this.#size += content.length
    return { pack: this.#pack, start }
  }

  /** Adds compressed contents, as a pack of their own. */
  addCompressed(bytes: Uint8Array): Pick<Place, 'pack' | 'start'> {
    const pack = lastId(this.#connection) + 1
    this.#connection.run(insertPack, pack, pack, bytes)
    return { pack, start: 0 }
  }

  /** Writes the collected contents. Must be called before the transaction is committed. */
  flush(): void {
    if (this.#size === 0) return
    const bytes = zstdCompressSync(this.#bytes.subarray(0, this.#size), options)
    this.#connection.run(insertPack, this.#pack, lastId(this.#connection), bytes)
    this.clear()
  }

  /** Drops the collected contents. Must be called after the transaction was rolled back. */
  clear(): void {
    this.#size = 0
  }
}

/**
 * For each connection, the pack of at most `large` bytes that it has read most recently. A reader that has read one
 * delivery often reads its neighbor next.
 */
const lastUnpacked = new WeakMap<Connection, { pack: number; bytes: Uint8Array }>()

/**
 * Unpacks the contents of a delivery.
 * @returns copies. A view would refer to the buffer of the whole pack, and a thread that sends a view to another thread
 *   sends the whole buffer.
 * @throws if the pack is damaged or gone.
 */
export function unpack(connection: Connection, place: Place): { headers: string; body: Uint8Array } {
  const body = place.start + place.headers_size
  const end = body + place.size
  const bytes = bytesOf(connection, place.pack, end)
  if (bytes.length < end) throw new Error("The pack is too short for the delivery's contents")
  return {
    headers: new TextDecoder().decode(bytes.subarray(place.start, body)),
    body: new Uint8Array(bytes.subarray(body, end)),
  }
}

/** @param size The number of bytes that are read. */
function bytesOf(connection: Connection, pack: number, size: number): Uint8Array {
  const last = lastUnpacked.get(connection)
  if (last?.pack === pack) return last.bytes
  const row = connection.get<{ bytes: Uint8Array }>('select bytes from packs where id = ?', pack)
  if (!row) throw new Error('Its pack is gone')
  const bytes = zstdDecompressSync(row.bytes, size)
  if (bytes.length <= large) lastUnpacked.set(connection, { pack, bytes })
  return bytes
}

/** Of these packs, deletes those that no delivery refers to. */
export function deleteEmptied(connection: Connection, packs: ReadonlySet<number>): void {
  for (const pack of packs) connection.run(deletePack, pack)
}

/**
 * The last id that was given to a delivery, even if that delivery has been deleted. The next delivery gets the
 * following id. If the next delivery begins a pack, the pack has the same id.
 */
export function lastId(connection: Connection): number {
  return connection.get<{ seq: number }>(`select seq from sqlite_sequence where name = 'deliveries'`)?.seq ?? 0
}

const insertPack = 'insert into packs (id, last, bytes) values (?, ?, ?)'

const deletePack = `
  delete from packs
  where id = ? and not exists (
    select 1 from deliveries where deliveries.id between packs.id and packs.last and pack = packs.id)`
