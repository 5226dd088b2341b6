/**
 * Bytes of a body as hexadecimal digits and as text. The text shows printable ASCII only, since other characters could
 * mislead.
 */
interface HexRow {
  offset: string
  digits: string
  text: string
}

/** @param offset The position of these bytes in the body. */
export function hexRow(some: Uint8Array, offset: number, width: number): HexRow {
  const digits = [...some].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const text = [...some].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
  return { offset: offset.toString(16).padStart(8, '0'), digits: digits.padEnd(width * 3 - 1), text }
}
