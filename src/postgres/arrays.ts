/**
 * Arrays as parameters in PostgreSQL's binary format, in which `pg` sends a `Buffer`. `pg` itself sends an array as text:
 * escaped, and bytes as hexadecimal digits. This text takes the client and the server several times as long as the
 * binary format.
 */
import pg from 'pg'
import { text } from './connection.ts'

/** Bytes of five numbers: dimensions, a flag for nulls, the type of the elements, their number, and the first index. */
const headerSize = 20

export function textArray(values: readonly (string | undefined)[]): Buffer {
  const { buffer, write } = arrayOf(pg.types.builtins.TEXT, values, (value) => 3 * value.length)
  return write((value, offset) => buffer.write(text(value), offset))
}

export function bytesArray(values: readonly Uint8Array[]): Buffer {
  const { buffer, write } = arrayOf(pg.types.builtins.BYTEA, values, (value) => value.length)
  return write((value, offset) => {
    buffer.set(value, offset)
    return value.length
  })
}

export function booleanArray(values: readonly boolean[]): Buffer {
  const { buffer, write } = arrayOf(pg.types.builtins.BOOL, values, () => 1)
  return write((value, offset) => buffer.writeInt8(value ? 1 : 0, offset) - offset)
}

/** @throws {RangeError} if a value is not a safe integer. */
export function bigintArray(values: readonly (number | undefined)[]): Buffer {
  const { buffer, write } = arrayOf(pg.types.builtins.INT8, values, () => 8)
  return write((value, offset) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`)
    buffer.writeInt32BE(Math.floor(value / 2 ** 32), offset)
    buffer.writeUInt32BE(value >>> 0, offset + 4)
    return 8
  })
}

/** @param maxSize The most bytes that `write` writes for a value. */
function arrayOf<T>(type: number, values: readonly (T | undefined)[], maxSize: (value: T) => number) {
  let size = headerSize
  for (const value of values) size += 4 + (value === undefined ? 0 : maxSize(value))
  const buffer = Buffer.allocUnsafe(size)
  for (const [index, field] of [1, 1, type, values.length, 1].entries()) buffer.writeInt32BE(field, 4 * index)
  /** @param writeValue Returns the number of bytes. */
  const write = (writeValue: (value: T, offset: number) => number): Buffer => {
    let end = headerSize
    for (const value of values) {
      const written = value === undefined ? -1 : writeValue(value, end + 4)
      buffer.writeInt32BE(written, end)
      end += 4 + Math.max(written, 0)
    }
    return buffer.subarray(0, end)
  }
  return { buffer, write }
}
