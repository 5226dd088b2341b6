/** The server of `serve --dev` in the current folder, to which `send` sends. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseObject } from '../../runtime/json.ts'
import { ownFolder } from './secret-files.ts'

const file = `${ownFolder}/server.json`

export interface DevServer {
  /** The URL at which it receives. */
  url: string
  /** The file with its secret, or the environment variable. Without both, only the module knows the secret. */
  secretFile?: string | undefined
  secretVariable?: string | undefined
}

/** @returns False if the file cannot be written, without which the server works too. */
export function keepDevServer({ url, secretFile, secretVariable }: DevServer): boolean {
  // The supervisor keeps its id when it starts the server again.
  const pid = process.connected ? process.ppid : process.pid
  const server = { pid, url, secretFile: secretFile && resolve(secretFile), secretVariable }
  try {
    mkdirSync(ownFolder, { recursive: true, mode: 0o700 })
    writeFileSync(file, `${JSON.stringify(server)}\n`)
    return true
  } catch {
    return false
  }
}

/** @returns `undefined` if no such server runs. */
export function findDevServer(): DevServer | undefined {
  const { pid, url, secretFile, secretVariable } = parseObject(readText()) ?? {}
  if (typeof url !== 'string' || !URL.canParse(url) || !isRunning(Number(pid))) return undefined
  return { url, secretFile: textOf(secretFile), secretVariable: textOf(secretVariable) }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function readText(): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // a process of another user
  }
}
