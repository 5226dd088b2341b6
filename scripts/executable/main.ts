/**
 * The program in the executable. It unpacks the files of hookserver, and runs the command line from there.
 *
 * `process.execPath` is the executable, and programs start child processes with it as with Node.js. So the executable
 * also runs a file whose absolute path is its first argument. No command of hookserver is such a path.
 */
import { readFileSync } from 'node:fs'
import { runMain } from 'node:module'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { getAsset } from 'node:sea'
import { SourceTextModule } from 'node:vm'
import { zstdDecompressSync } from 'node:zlib'
import { type Contents, mainFile } from './contents.ts'
import { cacheFolder, unpack } from './unpack.ts'

const args = process.argv.slice(2)
process.execArgv = [] // `fork` would pass the flag of the executable to child processes, as an argument

if (args.join(' ') === '--check --input-type=module -') checkSyntax()
else if (isAbsolute(args[0] ?? '') && /\.[cm]?[jt]s$/.test(args[0] ?? '')) run(args)
else {
  const main = unpackMain()
  if (main !== undefined) run([main, ...args])
}

/** Runs a file as Node.js does. */
function run(arguments_: readonly string[]): void {
  process.argv = [process.execPath, ...arguments_]
  runMain(arguments_[0])
}

/** @returns The path of the command line. `undefined` after an error. */
function unpackMain(): string | undefined {
  const contents: Contents = JSON.parse(getAsset('contents', 'utf8'))
  const readFiles = () => zstdDecompressSync(new Uint8Array(getAsset('files')))
  try {
    return join(unpack(contents, readFiles, cacheFolder(process.platform, process.env, homedir)), mainFile)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
    return undefined
  }
}

/** Does what Node.js does with these flags: the server shows the line of a syntax error that it finds so. */
function checkSyntax(): void {
  new SourceTextModule(readFileSync(0, 'utf8'), { identifier: '[stdin]' })
}
