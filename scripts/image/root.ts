/**
 * The root file system of the container image, made without another image. Node.js comes from the package `node` of npm, and
 * its libraries from packages of Debian or Ubuntu. The versions are those of package-lock.json, and of the package lists of
 * apt on this machine. The same versions give the same bytes. Needs `apt-get`, `dpkg-deb` and GNU tar, but no root rights.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { collectFiles } from '../executable/collect.ts'
import { withRootArchive } from './dockerfile.ts'

const repository = join(import.meta.dirname, '../..')
/** The packages with the libraries that Node.js links. */
const packages = ['libc6', 'libgcc-s1', 'libstdc++6']
/** The libraries in these packages, and their licenses. The image leaves out character sets and tools for debuggers. */
const needed = ['usr/lib/*/*.so*', 'usr/lib/ld-*', 'usr/lib64/ld-*', 'usr/share/doc/*/copyright']

/** Writes `root.tar` and `Dockerfile` to a folder. Needs `dist`. */
export function writeImageRoot(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'hookserver-image-root-'))
  try {
    const root = join(work, 'root')
    addLibraries(join(work, 'debian'), root)
    addPrograms(root)
    archive(root, join(folder, 'root.tar'))
  } finally {
    rmSync(work, { recursive: true })
  }
  writeFileSync(join(folder, 'Dockerfile'), withRootArchive(readFileSync(join(repository, 'Dockerfile'), 'utf8')))
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, 'root.tar')))
    .digest('hex')
  console.log(`image: ${join(folder, 'root.tar')}, sha256 ${hash}`)
}

function addLibraries(unpacked: string, root: string): void {
  mkdirSync(unpacked)
  execFileSync('apt-get', ['download', '--quiet', '--quiet', ...packages], { cwd: unpacked })
  for (const file of globSync('*.deb', { cwd: unpacked }).toSorted()) {
    execFileSync('dpkg-deb', ['--extract', file, '.'], { cwd: unpacked })
    console.log(`image: ${file}`)
  }
  // As in Debian, where a package of its own has these links.
  mkdirSync(join(root, 'usr'), { recursive: true })
  for (const name of ['lib', 'lib64']) symlinkSync(join('usr', name), join(root, name))
  // `tar` copies links as links.
  const files = needed.flatMap((pattern) => globSync(pattern, { cwd: unpacked }))
  const bytes = execFileSync('tar', ['--create', ...files], { cwd: unpacked, maxBuffer: 1e9 })
  execFileSync('tar', ['--extract'], { cwd: root, input: bytes })
}

function addPrograms(root: string): void {
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  write('etc/passwd', 'hookserver:x:65532:65532::/data:/sbin/nologin\n')
  write('etc/group', 'hookserver:x:65532:\n')
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true })
  copyFileSync(join(repository, 'node_modules/node/bin/node'), join(root, 'usr/local/bin/node'))
  const { contents, bytes } = collectFiles()
  let start = 0
  for (const { path, size } of contents.files) {
    write(join('opt/hookserver', path), bytes.subarray(start, start + size))
    start += size
  }
}

/** Archives the root without what depends on the time, the user, the umask or the order of a folder. */
function archive(root: string, file: string): void {
  rmSync(file, { force: true })
  const add = (owner: number, mode: string, ...paths: string[]) => {
    const owners = [`--owner=:${owner}`, `--group=:${owner}`, '--numeric-owner']
    const fixed = ['--format=gnu', '--sort=name', '--mtime=@0', `--mode=${mode}`, ...owners]
    execFileSync('tar', ['--append', '--file', file, ...fixed, ...paths], { cwd: root })
  }
  add(0, 'u=rwX,go=rX', 'etc', 'lib', 'lib64', 'opt', 'usr')
  for (const name of ['data', 'tmp']) mkdirSync(join(root, name))
  add(65532, '755', 'data')
  add(0, '1777', 'tmp')
}
