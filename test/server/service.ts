/** Runs `hookserver serve`. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'

export const secret = 'a secret that no line may show'
/** The environment of a server with this secret. */
export const withSecret = { GITHUB_WEBHOOKS_KEY: secret }
/** Flags of a server that accepts deliveries from any address. */
export const anyOrigin: readonly string[] = ['--validate-ip', 'false']

/** A line of the log. */
interface Line {
  level: number
  msg: string
  [field: string]: unknown
}

/** Creates a folder for one test, with these files. */
export function project(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-serve-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 })
  return folder
}

interface ServedOptions {
  /** The maximum size of a file in KiB. A write beyond it fails, as on a full disk. */
  fileLimit?: number
}

/** A running `hookserver serve`. */
export abstract class Served {
  readonly lines: Line[] = []
  /** All output. */
  output = ''
  /** The exit code. */
  abstract readonly ended: Promise<number | null>
  readonly #waiting: { fits: (line: Line) => boolean; found: (line: Line) => void }[] = []

  /** Waits for the first line whose message begins with `msg`. @throws if the server ends first. */
  async line(msg: string): Promise<Line> {
    const fits = (line: Line) => line.msg.startsWith(msg)
    const there = this.lines.find(fits)
    if (there) return there
    const coming = new Promise<Line>((found) => this.#waiting.push({ fits, found }))
    const over = this.ended.then((code) => {
      throw new Error(`The server exited with ${code} before it logged "${msg}":\n${this.output}`)
    })
    return Promise.race([coming, over])
  }

  /** The URL that GitHub delivers to. */
  async url(): Promise<string> {
    return (await this.line('Receiving')).url as string
  }

  /** The URL of the admin listener. */
  async adminUrl(): Promise<string> {
    return (await this.line('Admin listener')).url as string
  }

  protected read(text: string): void {
    this.output += `${text}\n`
    if (!text.startsWith('{')) return
    const line = JSON.parse(text) as Line
    this.lines.push(line)
    for (const { fits, found } of this.#waiting) if (fits(line)) found(line)
  }
}

/** The flags of a server on free ports. */
export const freePorts: readonly string[] = ['--port', '0', '--admin-port', '0']

/** A server on free ports, in its own process. Of this machine's environment, it has only `PATH` and `HOME`. */
export class ServedProcess extends Served {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<number | null>

  constructor(
    folder: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    { fileLimit }: ServedOptions = {},
  ) {
    super()
    const { PATH = '', HOME = '' } = process.env
    const command = [process.execPath, main, 'serve', ...freePorts, ...args]
    const limited = fileLimit === undefined ? [] : ['bash', '-c', `ulimit -f ${fileLimit}; exec "$0" "$@"`]
    const [program = '', ...given] = [...limited, ...command]
    this.child = spawn(program, given, {
      cwd: folder,
      env: { PATH, HOME, ...compileCache, ...env },
      detached: true, // in its own process group, so that the test can end its children too
    })
    this.ended = once(this.child, 'close').then(([code]) => code as number | null)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface(stream).on('line', (line) => this.read(line))
    }
    onTestFinished(async () => {
      const { pid, exitCode, signalCode } = this.child
      if (exitCode === null && signalCode === null) process.kill(-(pid as number), 'SIGKILL')
      await this.ended
    })
  }
}
