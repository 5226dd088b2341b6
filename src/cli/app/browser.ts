import { spawn } from 'node:child_process'
import { type EnvFileFlags, environmentWithout } from '../env-file-flags.ts'

/** The program that opens an address, by platform. Default: xdg-open. */
const programs: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['explorer.exe'], // `start` belongs to cmd.exe, which would interpret characters of the address
}

/**
 * Opens an address in the user's browser. If that fails, the user opens the address that the command has printed.
 * @param address An address of GitHub's pages, or the path of a file. It is in the list of processes for a moment, so it
 * must contain no secret.
 * @param envFile The file that this process has read: the browser must not get the keys and secrets in it.
 */
export function openInBrowser(address: string, { envFile }: EnvFileFlags): void {
  const [program, ...args] = programs[process.platform] ?? ['xdg-open']
  const child = spawn(program, [...args, address], {
    stdio: 'ignore',
    detached: true,
    env: environmentWithout(envFile),
  })
  child.on('error', () => {}) // a machine without a desktop does not have the program
  child.unref()
}
