/** The search in a saved image: it reads archives of the system's `tar`. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { imageParts, partsWith, programsIn, readTar } from '../../scripts/image/archive.ts'
import { withRootArchive } from '../../scripts/image/dockerfile.ts'
import { stagesOf } from './dockerfile.ts'
import { read } from './files.ts'

const formats = ['ustar', 'gnu', 'pax'] as const
const longPath = `opt/${'a'.repeat(60)}/${'b'.repeat(60)}/c.js`

/** The bytes of a tar file with these files. */
function tarOf(files: Readonly<Record<string, string | Buffer>>, format: (typeof formats)[number] = 'pax'): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-tar-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return execFileSync('tar', [`--format=${format}`, '-cf', '-', ...Object.keys(files)], { cwd: folder })
}

test.each(formats)('reads the paths and the bytes of a tar file in the format %s', (format) => {
  const files = { 'a.txt': 'first', [longPath]: 'x'.repeat(600), 'empty.txt': '' }
  const entries = [...readTar(tarOf(files, format))].map(({ path, bytes }) => [path, bytes.toString()])
  expect(Object.fromEntries(entries)).toEqual(files)
})

test.each([
  ['no compression', (layer: Buffer) => layer],
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)('finds a text and the programs in layers with %s', (_name, compress) => {
  const layer = compress(tarOf({ 'etc/passwd': 'root', 'usr/local/bin/node': 'program', 'sbin/apk': 'program' }))
  const other = compress(tarOf({ 'opt/bin/tool.js': 'planted-secret' }))
  const parts = imageParts(tarOf({ 'blobs/sha256/1': layer, 'blobs/sha256/2': other, 'config.json': '{}' }))
  expect(programsIn(parts)).toEqual(['usr/local/bin/node', 'sbin/apk'])
  expect(partsWith(parts, 'planted-secret')).toEqual(['blobs/sha256/2'])
  expect(parts.map(({ files }) => files?.length)).toEqual([3, 1, undefined])
})

test('finds a text in the configuration of an image', () => {
  const parts = imageParts(tarOf({ 'config.json': '{"Env":["KEY=planted-secret"]}' }))
  expect(partsWith(parts, 'planted-secret')).toEqual(['config.json'])
})

test('the Dockerfile for an archive of the root file system differs from our own only in the files', () => {
  const own = stagesOf('Dockerfile').at(-1) ?? []
  const [from, ...others] = own.filter(({ name }) => name !== 'COPY')
  const lines = withRootArchive(read('Dockerfile')).split('\n')
  const instructions = lines.filter((line) => /^[A-Z]/.test(line))
  const shown = [from, { name: 'ADD', value: 'root.tar /' }, ...others]
  expect(instructions).toEqual(shown.map((one) => `${one?.name} ${one?.value}`))
})
