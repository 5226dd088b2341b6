/**
 * `npm run executable`: builds `executable/hookserver`, a single file with Node.js, hookserver, and the optional packages
 * that the container image has. It is a single executable application of Node.js
 * (https://nodejs.org/api/single-executable-applications.html), for the platform that this script runs on.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import { build } from 'rolldown'
import manifest from '../package.json' with { type: 'json' }
import { collectFiles } from './executable/collect.ts'

const root = join(import.meta.dirname, '..')
const suffix = process.platform === 'win32' ? '.exe' : ''
const executable = join(root, 'executable', `hookserver${suffix}`)
/** The Node.js in the package `node`. */
const node = join(root, 'node_modules', 'node', 'bin', `node${suffix}`)
/** Marks the place in the code of Node.js that says whether it has a program inside. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const folder = mkdtempSync(join(tmpdir(), 'hookserver-executable-'))
try {
  const blob = await buildBlob()
  mkdirSync(join(root, 'executable'), { recursive: true })
  rmSync(executable, { force: true }) // a running executable cannot be overwritten
  copyFileSync(node, executable)
  chmodSync(executable, 0o755)
  inject(blob)
  copyLicenses()
} finally {
  rmSync(folder, { recursive: true })
}
const version = execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim()
if (version !== manifest.version) throw new Error(`The executable printed ${version} instead of ${manifest.version}`)
console.log(`executable: ${executable}, ${(statSync(executable).size / 1e6).toFixed(0)} MB`)

/** @returns The path of the blob with the program and its assets. */
async function buildBlob(): Promise<string> {
  const inFolder = (name: string) => join(folder, name)
  const { contents, bytes } = collectFiles()
  writeFileSync(inFolder('contents'), JSON.stringify(contents))
  const params = { [constants.ZSTD_c_compressionLevel]: 19 }
  writeFileSync(inFolder('files'), zstdCompressSync(bytes, { params }))
  await build({
    cwd: root,
    input: 'scripts/executable/main.ts',
    platform: 'node',
    output: { file: inFolder('main.cjs'), format: 'cjs' },
  })
  const config = {
    main: inFolder('main.cjs'),
    output: inFolder('blob'),
    disableExperimentalSEAWarning: true,
    execArgv: ['--experimental-vm-modules'], // for the syntax check in main.ts
    assets: { contents: inFolder('contents'), files: inFolder('files') },
  }
  writeFileSync(inFolder('config.json'), JSON.stringify(config))
  execFileSync(node, ['--experimental-sea-config', inFolder('config.json')], { stdio: 'pipe' })
  return config.output
}

function inject(blob: string): void {
  const isMac = process.platform === 'darwin'
  if (isMac) execFileSync('codesign', ['--remove-signature', executable])
  const postject = join(root, 'node_modules', 'postject', 'dist', 'cli.js')
  const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : []
  execFileSync(process.execPath, [postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse, ...segment], {
    stdio: 'pipe', // its warnings about sections of Node.js do not matter
  })
  // macOS runs no changed program without a signature. This one has no identity.
  if (isMac) execFileSync('codesign', ['--sign', '-', executable])
}

/**
 * Copies the licenses of hookserver and of Node.js, for the archive of a release. Packages have theirs inside. The
 * license of Node.js is in a package that `npm ci` installs and that `npm install` removes later.
 */
function copyLicenses(): void {
  const nodeLicense = join(root, 'executable', 'LICENSE-node')
  rmSync(nodeLicense, { force: true })
  copyFileSync(join(root, 'LICENSE'), join(root, 'executable', 'LICENSE'))
  const [license] = globSync('node_modules/{node/node_modules/,}node-*/LICENSE', { cwd: root })
  if (license !== undefined) copyFileSync(join(root, license), nodeLicense)
  else console.warn('executable: the license of Node.js is missing. Run "npm ci" before you publish the executable.')
}
