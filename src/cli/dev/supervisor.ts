/** The parent process of `serve --dev`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { findPackageJSON } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isObject } from '../../runtime/json.ts'
import type { EnvFile } from '../../server/config/env-file.ts'
import { type EnvFileFlags, environmentWithout } from '../env-file-flags.ts'
import { defaultModules, defaultNames } from '../module-handlers.ts'
import { printable } from '../output.ts'
import { onScriptEnd } from '../package-manager.ts'
import { type FileRead, supervisedVariable } from './supervised.ts'
import { FileWatcher } from './watch-files.ts'

/**
 * Runs this command in a child process, and restarts the child process when the module, a file that it imports, the
 * `.env` file or package.json changes. If the child process ends on its own, it starts again at the next change. If it
 * cannot listen, this command ends.
 * @param module Without it, the child process also restarts when a module with a default name is created.
 */
export async function superviseServer(
  module: string | undefined,
  { envFile, envFilePath }: EnvFileFlags,
): Promise<void> {
  const stopped = Promise.withResolvers<void>()
  let isStopping = false
  let changed = Promise.withResolvers<string>()
  let child: ChildProcess | undefined
  const stop = (signal: 'SIGINT' | 'SIGTERM') => {
    isStopping = true
    child?.kill(signal)
    stopped.resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal))
  onScriptEnd(() => stop('SIGTERM'))
  const watcher = new FileWatcher(
    (path) => changed.resolve(path),
    ({ message }) => say(`Restart this command after changes, because it cannot notice some of them: ${message}`),
  )
  for (const path of module === undefined ? defaultModules : [module]) watcher.add(resolve(path))
  watcher.add(module === undefined ? resolve('package.json') : packageOf(resolve(module)))
  if (envFilePath !== undefined) watcher.add(resolve(envFilePath))
  const orEnvFile = envFilePath === undefined ? '' : `, ${envFilePath}`
  for (;;) {
    changed = Promise.withResolvers()
    watcher.reset()
    const server = startServer(envFile, watcher)
    server.on('message', (message) => {
      if (isObject(message) && message.startFailed === true) isStopping = true
    })
    child = server
    const change = changed.promise
    let isRestarting = false
    void change.then((path) => {
      say(`${relative('', path)} has changed: the server starts again.`)
      isRestarting = true
      server.kill('SIGTERM')
    })
    const [code, signal] = (await once(server, 'exit')) as [number | null, NodeJS.Signals | null]
    if (isStopping) {
      process.exitCode = code ?? 0
      return watcher.close()
    }
    if (!isRestarting) {
      const how = signal === null ? `the exit code ${code}` : `the signal ${signal}`
      say(
        `The server has ended with ${how}. It starts again when ${module ?? defaultNames}, one of its imports${orEnvFile} or package.json changes.`,
      )
    }
    await Promise.race([change, stopped.promise])
    if (isStopping) return watcher.close()
  }
}

/** The package.json that applies to a module. It may be missing. */
const packageOf = (path: string): string => findPackageJSON(pathToFileURL(path)) ?? join(dirname(path), 'package.json')

function startServer(envFile: EnvFile | undefined, watcher: FileWatcher): ChildProcess {
  const env = { ...environmentWithout(envFile), [supervisedVariable]: '1' }
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc'] as const
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { stdio: [...stdio], env })
  return child.on('message', (message) => {
    if (isFileRead(message)) watcher.add(message.path, message.version)
  })
}

/** Whether a message is ours: the module can send messages too. */
const isFileRead = (message: unknown): message is FileRead =>
  isObject(message) && typeof message.path === 'string' && typeof message.version === 'string'

const say = (text: string): void => console.error(`hookserver: ${printable(text)}`)
