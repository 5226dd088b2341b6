import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A server in a process of its own. */
export interface Program {
  pid: number
  /** `http://127.0.0.1:PORT` */
  origin: string
  stop(): Promise<void>
}

/** Starts a program that prints its port, as `workerd --control-fd=1` does, or as `listening on 8080`. */
export async function startProgram(
  command: string,
  args: readonly string[],
  { stderr = 'inherit' }: { stderr?: 'inherit' | 'ignore' } = {},
): Promise<Program> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', stderr] })
  const origin = `http://127.0.0.1:${await portOf(child)}`
  const stop = async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return { pid: child.pid as number, origin, stop }
}

async function portOf(child: ChildProcess): Promise<string> {
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += chunk
    const port = /(?:listening on |"port":)(\d+)/.exec(output)?.[1]
    if (port) return port
  }
  throw new Error(`${child.spawnfile} ended before it printed its port: ${output}`)
}
