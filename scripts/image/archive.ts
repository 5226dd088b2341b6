/** Reads the archive that `docker save` and `podman save` write: a tar file with the layers, which are tar files, too. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

export interface TarEntry {
  path: string
  bytes: Buffer
}

/** A file of the archive: a layer, or the configuration of the image. */
export interface ImagePart {
  path: string
  /** Without compression. */
  bytes: Buffer
  /** The paths in the layer. Undefined for other files. */
  files: string[] | undefined
}

/** The files and folders of a tar file. Links have no bytes. */
export function* readTar(tar: Buffer): Generator<TarEntry> {
  let longPath: string | undefined
  for (let offset = 0; offset + 512 <= tar.length && tar[offset] !== 0; ) {
    const header = tar.subarray(offset, offset + 512)
    const size = Number.parseInt(textIn(header, 124, 12), 8)
    const bytes = tar.subarray(offset + 512, offset + 512 + size)
    offset += 512 + Math.ceil(size / 512) * 512
    const type = String.fromCharCode(header[156] as number)
    if (type === 'L') longPath = textIn(bytes, 0, size)
    else if (type === 'x') longPath = paxPath(bytes) ?? longPath
    else if (type !== 'K' && type !== 'g') {
      yield { path: longPath ?? shortPath(header), bytes }
      longPath = undefined
    }
  }
}

/** The files of a saved image. */
export function imageParts(archive: Buffer): ImagePart[] {
  return [...readTar(archive)].map(({ path, bytes: stored }) => {
    const bytes = decompress(stored)
    const files = isTar(bytes) ? [...readTar(bytes)].map((entry) => entry.path.replace(/^(?:\.?\/)+/, '')) : undefined
    return { path, bytes, files }
  })
}

/** The programs in the folders for programs, as paths. */
export const programsIn = (parts: readonly ImagePart[]): string[] =>
  parts.flatMap(({ files = [] }) => files).filter((path) => /^(?:usr\/)?(?:local\/)?s?bin\/./.test(path))

/** The paths of the files that contain a text. */
export const partsWith = (parts: readonly ImagePart[], text: string): string[] =>
  parts.filter(({ bytes }) => bytes.includes(text)).map(({ path }) => path)

function decompress(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 2).equals(Buffer.of(0x1f, 0x8b))) return gunzipSync(bytes)
  if (bytes.subarray(0, 4).equals(Buffer.of(0x28, 0xb5, 0x2f, 0xfd))) return zstdDecompressSync(bytes)
  return bytes
}

const isTar = (bytes: Buffer): boolean => bytes.toString('latin1', 257, 262) === 'ustar'

function textIn(bytes: Buffer, start: number, length: number): string {
  const [text = ''] = bytes.toString('utf8', start, start + length).split('\0')
  return text
}

function shortPath(header: Buffer): string {
  // GNU tar has times where the POSIX format has the start of a long path.
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textIn(header, 345, 155) : ''
  const name = textIn(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

/** The path in the records of a PAX header, such as `22 path=folder/a.txt\n`. Without a path: undefined. */
const paxPath = (records: Buffer): string | undefined => /^\d+ path=(.*)$/m.exec(records.toString())?.[1]
