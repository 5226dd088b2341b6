/**
 * Reduces a screenshot to a third of its size. Supports only the part of the PNG format that this needs:
 * https://www.w3.org/TR/png-3/
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib'

interface Picture {
  width: number
  height: number
  /** Red, green and blue of each pixel in one number. */
  pixels: Uint32Array
}

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
const maxColors = 256

/**
 * Reduces a picture to 256 colors, so that a pixel takes one byte. A page has few colors, and the shades of its text
 * hardly differ.
 */
export function reduceColors(png: Buffer): Buffer {
  const { width, height, pixels } = decode(png)
  const { palette, indexOf } = choosePalette(pixels)
  const rows = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = indexOf(pixels[y * width + x] as number)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3], 8) // 8 bits per pixel; each is an index into the palette
  const colors = Buffer.from(palette.flatMap(channelsOf))
  const data = deflateSync(rows, { level: 9, memLevel: 9 })
  const chunks = [chunk('IHDR', header), chunk('PLTE', colors), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([signature, ...chunks])
}

function chunk(name: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** Decodes a PNG from Chromium: one byte per channel, not interlaced. @throws {Error} for other kinds. */
function decode(png: Buffer): Picture {
  const data: Buffer[] = []
  let header: Buffer = Buffer.alloc(0)
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const name = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (name === 'IHDR') header = body
    if (name === 'IDAT') data.push(body)
    at += length + 12
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)]
  const [depth, colors = 0, , , interlaced] = header.subarray(8)
  const channels = { 2: 3, 6: 4 }[colors]
  if (depth !== 8 || channels === undefined || interlaced !== 0)
    throw new Error('Cannot read this kind of PNG: expected 8 bits per channel, not interlaced')
  return { width, height, pixels: unfilter(inflateSync(Buffer.concat(data)), width * channels, height, channels) }
}

/** Reverses the filters: each row names its filter, and stores the differences from the predicted bytes. */
function unfilter(rows: Buffer, length: number, height: number, channels: number): Uint32Array {
  const pixels = new Uint32Array((length / channels) * height)
  let above = new Uint8Array(length)
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (length + 1)] ?? 0
    const row = Uint8Array.from(rows.subarray(y * (length + 1) + 1, (y + 1) * (length + 1)))
    for (let x = 0; x < length; x++) {
      const [left, up, corner] = [row[x - channels] ?? 0, above[x] ?? 0, above[x - channels] ?? 0]
      row[x] = (row[x] ?? 0) + predict(filter, left, up, corner)
    }
    for (let x = 0; x < length; x += channels) {
      const [red = 0, green = 0, blue = 0] = row.subarray(x, x + 3)
      pixels[(y * length + x) / channels] = (red << 16) | (green << 8) | blue
    }
    above = row
  }
  return pixels
}

function predict(filter: number, left: number, up: number, corner: number): number {
  if (filter < 4) return [0, left, up, (left + up) >> 1][filter] ?? 0
  const guess = left + up - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}

/** Selects the most frequent colors that differ enough, and maps every other color to the nearest of them. */
function choosePalette(pixels: Uint32Array): { palette: number[]; indexOf: (color: number) => number } {
  const counts = new Map<number, number>()
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const colors = [...counts].sort((a, b) => b[1] - a[1]).map(([color]) => color)
  let palette = colors
  for (let apart = 2; palette.length > maxColors; apart += 2) palette = selectDistinct(colors, apart)
  const indices = new Map(colors.map((color) => [color, nearest(palette, color).index]))
  return { palette, indexOf: (color) => indices.get(color) ?? 0 }
}

function selectDistinct(colors: readonly number[], apart: number): number[] {
  const kept: number[] = []
  for (const color of colors) if (nearest(kept, color).distance > apart) kept.push(color)
  return kept
}

function nearest(palette: readonly number[], color: number): { index: number; distance: number } {
  let [index, distance] = [0, Number.POSITIVE_INFINITY]
  for (let at = 0; at < palette.length; at++) {
    const other = palette[at] as number
    const by =
      Math.abs((other >> 16) - (color >> 16)) +
      Math.abs(((other >> 8) & 255) - ((color >> 8) & 255)) +
      Math.abs((other & 255) - (color & 255))
    if (by < distance) [index, distance] = [at, by]
  }
  return { index, distance }
}

const channelsOf = (color: number): number[] => [color >> 16, (color >> 8) & 255, color & 255]
