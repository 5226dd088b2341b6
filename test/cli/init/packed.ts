/** The package as npm installs it, without a registry: the files from the tarball. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileCache } from '../../compile-cache.ts'
import type { Ended } from '../command.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))

interface Manifest {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

export const manifestIn = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** Packs what `npm publish` would publish, and unpacks it in `node_modules`. */
export function installPacked(folder: string): void {
  const args = ['pack', repository, '--ignore-scripts', '--json', '--loglevel', 'error']
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }))
  const target = join(folder, 'node_modules/hookserver')
  mkdirSync(target, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', target])
  mkdirSync(join(folder, 'node_modules/.bin'))
  symlinkSync('../hookserver/dist/cli/main.js', join(folder, 'node_modules/.bin/hookserver'))
}

/** Links packages that this repository has installed. */
export function linkPackages(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const target = join(folder, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(join(repository, 'node_modules', name), target)
  }
}

/** The environment without the variables of this machine that tests must not read. */
export const environment = (): NodeJS.ProcessEnv => {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME, ...compileCache, NO_COLOR: '1', npm_config_update_notifier: 'false' }
}

/** Runs a command in a folder until it exits. */
export async function runIn(
  folder: string,
  command: string,
  ...args: readonly string[]
): Promise<Omit<Ended, 'bytes'>> {
  const child = spawn(command, args, { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors]: [string[], string[]] = [[], []]
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: output.join(''), stderr: errors.join('') }
}
