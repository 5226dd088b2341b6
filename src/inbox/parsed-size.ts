/**
 * Estimates how much memory a body will need once it is parsed. The estimate only looks at the bytes of the body, and
 * takes a third of the time that `JSON.parse()` takes. A few bytes can need forty times their size: `{"34":0}` makes V8
 * allocate an array of 35 elements. If the heap is too small for a parsed body, the whole process ends, even if a
 * worker thread parses it.
 */

/**
 * Bytes of memory for each byte of the body: for its text, and for the strings that are cut from the text. Both take
 * two bytes a character as soon as one character is outside Latin-1. While a form is decoded, two more copies of its
 * text exist.
 */
const perByte = { json: 4, form: 8 }

/**
 * Bytes for each character of JSON's syntax, measured on 64-bit V8 without pointer compression. A number may be at most
 * 127: `makeSizeOfWords` adds the numbers of four characters, and the sum must fit into the nine bits of `weight`.
 */
const perCharacter: Readonly<Record<string, number>> = {
  '{': 64, // an empty object has room for four properties
  '[': 56, // the list, the header of its elements, and its place in the list around it
  ',': 24, // a place in a list, and a number that is not a small integer
  // A property. If no other object has the same names, V8 also allocates a hidden class or a dictionary for the object.
  // The 56 bytes include the bytes that one property takes in this hidden class or dictionary.
  ':': 56,
  '"': 12, // half of a string's header and padding
}

/**
 * Bytes for a key such as "34", besides those for its syntax. The worst case is one such key in each object: V8
 * allocates up to 35 elements of 8 bytes for it. The syntax of the object, `{"":`, adds 144 bytes to these 200.
 */
const perIndex = 200

/** The maximum of `parsedSizeLimit`, in bytes. */
const maxParsedSize = 256 * 1024 * 1024

const [quote, colon, percent, backslash, u] = [0x22, 0x3a, 0x25, 0x5c, 0x75]

/**
 * An entry of `tableOfPairs()` describes a pair of bytes: the low nine bits are its weight, the high bits are flags.
 * The flags find the end of a key that may be an index: a digit, a quote, then a colon or a blank. Two adjacent pairs
 * contain these three bytes in one of two ways:
 * - The first pair ends with the digit, and the second pair is the quote and the colon or blank. The flags are
 *   `endsWithDigit` and `beginsWithQuoteAndEnd`.
 * - The first pair is the digit and the quote, and the second pair begins with the colon or blank. The flags are
 *   `isDigitAndQuote` and `beginsWithEnd`.
 *
 * In both cases, the flag of the second pair is the flag of the first pair shifted right by one bit.
 */
const weight = 0x1ff
const [endsWithDigit, beginsWithQuoteAndEnd, isDigitAndQuote, beginsWithEnd] = [0x8000, 0x4000, 0x2000, 0x1000]

/** Whether the first two bytes of a word are its lower half. On a big-endian machine, they are its upper half. */
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const [firstPair, secondPair] = isLittleEndian ? [0, 16] : [16, 0]

/** The part of `node:v8` that is used. It is not imported, because this module also loads without Node.js. */
interface HeapStatistics {
  getHeapStatistics(): { heap_size_limit: number }
}

/** The heap limit of this thread, in bytes. Only Node.js reports it. */
export function heapLimit(): number {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): HeapStatistics | undefined } }
  return process?.getBuiltinModule?.('node:v8')?.getHeapStatistics().heap_size_limit ?? Number.POSITIVE_INFINITY
}

/**
 * Maximum bytes that a searched or edited body may need once it is parsed: a quarter of the heap, and 256 MiB at most.
 * The rest of the heap is for other work.
 * @param heapLimit The heap limit of the thread that parses, in bytes.
 */
export const parsedSizeLimit = (heapLimit: number): number => Math.min(maxParsedSize, heapLimit / 4)

let sizeOfWords: ReturnType<typeof makeSizeOfWords> | undefined

/**
 * An upper estimate of the bytes that `JSON.parse()` allocates for this body, including its text. For a body that was
 * made to need much memory, the estimate is one to seven times the real need. For a genuine payload, the estimate is
 * less than ten times the size of the JSON.
 * @param form The body's form, if the caller knows it. The default is valid for both forms; `json` takes less time and
 *   gives a closer bound.
 */
export function estimateParsedSize(body: Uint8Array, form: 'json' | 'form' = 'form'): number {
  const bytes = form === 'form' && body.includes(percent) ? unescaped(body) : body
  return perByte[form] * body.length + sizeOfSyntax(bytes)
}

function sizeOfSyntax(bytes: Uint8Array): number {
  if (bytes.length < 4) return sizeOfBytes(bytes, 0, bytes.length)
  const start = -bytes.byteOffset & 3 // a view of words has to be aligned
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + start, (bytes.length - start) >> 2)
  const end = start + words.length * 4
  sizeOfWords ??= makeSizeOfWords()
  return sizeOfBytes(bytes, 0, start) + sizeOfWords(bytes, words, start) + sizeOfBytes(bytes, end, bytes.length)
}

/**
 * Makes a function that reads two bytes at a time, which takes 0.5 ns a byte. Reading single bytes takes 1.3 ns a byte,
 * and `JSON.parse()` 1.6 ns. The function is made at its first use, so that the table costs no time at startup. The
 * table is a constant of the function, which makes the function a quarter faster.
 */
function makeSizeOfWords(): (bytes: Uint8Array, words: Uint32Array, start: number) => number {
  const pairs = tableOfPairs()
  return (bytes, words, start) => {
    const count = words.length
    let size = 0
    let before = endsWithDigit | isDigitAndQuote // so that the bytes before the first word are checked too
    for (let at = 0; at < count; at++) {
      const word = words[at] as number
      const first = pairs[(word >>> firstPair) & 0xffff] as number
      const second = pairs[(word >>> secondPair) & 0xffff] as number
      const ends = ((before >>> 1) & first) | ((first >>> 1) & second)
      if ((ends & (beginsWithQuoteAndEnd | beginsWithEnd)) !== 0) {
        size += sizeOfIndexes(bytes, start + at * 4 - 1, start + at * 4 + 3)
      }
      size += (first + second) & weight
      before = second
    }
    return size
  }
}

function sizeOfBytes(bytes: Uint8Array, from: number, to: number): number {
  let size = sizeOfIndexes(bytes, from - 1, to - 1)
  for (let at = from; at < to; at++) size += weights[bytes[at] as number] as number
  return size
}

/** @param from The first place where the quote after an index may be. */
function sizeOfIndexes(bytes: Uint8Array, from: number, to: number): number {
  let size = 0
  for (let at = from; at < to; at++) if (bytes[at] === quote && isEndOfIndex(bytes, at)) size += perIndex
  return size
}

/** Whether a key of digits ends with this quote. The digits may be escaped: "\u0033" is "3". */
function isEndOfIndex(bytes: Uint8Array, end: number): boolean {
  if (!isDigit(bytes[end - 1])) return false
  let start = end - 1
  while (isDigit(bytes[start]) || bytes[start] === u || bytes[start] === backslash) start--
  let next = end + 1
  while (isBlank(bytes[next])) next++
  return bytes[start] === quote && bytes[next] === colon
}

const isDigit = (byte = 0): boolean => byte >= 0x30 && byte <= 0x39

/** JSON's white space, and a form's plus for a space. */
const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x2b

const weights: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => perCharacter[String.fromCharCode(byte)] ?? 0)

function tableOfPairs(): Uint16Array {
  const table = new Uint16Array(65536)
  const isEnd = (byte: number) => byte === colon || isBlank(byte)
  const set = (first: number, second: number) => {
    let entry = (weights[first] as number) + (weights[second] as number)
    if (isDigit(second)) entry |= endsWithDigit
    if (first === quote && isEnd(second)) entry |= beginsWithQuoteAndEnd
    if (isDigit(first) && second === quote) entry |= isDigitAndQuote
    if (isEnd(first)) entry |= beginsWithEnd
    table[isLittleEndian ? first | (second << 8) : (first << 8) | second] = entry
  }
  // The entry of a pair stays 0 unless one of its bytes has a weight or a flag.
  for (let one = 0; one < 256; one++) {
    if (weights[one] === 0 && !isDigit(one) && !isBlank(one)) continue
    for (let other = 0; other < 256; other++) {
      set(one, other)
      set(other, one)
    }
  }
  return table
}

/** The bytes of a form, with its percent-encoded bytes decoded. */
function unescaped(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length)
  let length = 0
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number
    const escaped = byte === percent ? hexadecimal(body[at + 1]) * 16 + hexadecimal(body[at + 2]) : Number.NaN
    if (Number.isNaN(escaped)) {
      bytes[length++] = byte
    } else {
      bytes[length++] = escaped
      at += 2
    }
  }
  return bytes.subarray(0, length)
}

function hexadecimal(byte = 0): number {
  if (isDigit(byte)) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN
}
