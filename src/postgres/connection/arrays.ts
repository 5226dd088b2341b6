/**
 * Encodes arrays in PostgreSQL's binary format, for use as parameters. The functions return a `Buffer`, because `pg`
 * sends a `Buffer` in the binary format. `pg` would send an array as text, with escapes, and with bytes as hexadecimal
 * digits. The client and the server take several times as long for this text as for the binary format.
 */
import pg from 'pg'
import { text } from './connection.ts'

/**
 * Bytes of an array's header. It has five numbers: the number of dimensions, a flag for nulls, the type of the
 * elements, the number of elements, and the index of the first element.
 */
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

/** @throws {RangeError} if a value is neither a safe integer nor `undefined`. */
export function bigintArray(values: readonly (number | undefined)[]): Buffer {
  const { buffer, write } = arrayOf(pg.types.builtins.INT8, values, () => 8)
  return write((value, offset) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`)
    buffer.writeInt32BE(Math.floor(value / 2 ** 32), offset)
    buffer.writeUInt32BE(value >>> 0, offset + 4)
    return 8
  })
}

/** @param maxSize The maximum number of bytes that `writeValue` writes for a value. */
function arrayOf<T>(type: number, values: readonly (T | undefined)[], maxSize: (value: T) => number) {
  let size = headerSize
  for (const value of values) size += 4 + (value === undefined ? 0 : maxSize(value))
  const buffer = Buffer.allocUnsafe(size)
  for (const [index, field] of [1, 1, type, values.length, 1].entries()) buffer.writeInt32BE(field, 4 * index)
  /** @param writeValue Writes a value at an offset, and returns the number of bytes that it has written. */
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
