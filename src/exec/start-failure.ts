import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { Command } from './options.ts'

/**
 * An error with the reason why a program cannot be started, and the solution. The system's own error lacks it:
 * `spawn deploy.sh ENOENT` may be about the program, its folder, or the interpreter that its first line names.
 */
export async function startFailure(cause: NodeJS.ErrnoException, command: Command, path?: string): Promise<Error> {
  return new Error(`${command.name} could not be started: ${await reasonOf(cause, command, path)}`, { cause })
}

async function reasonOf({ code, message }: NodeJS.ErrnoException, command: Command, path = ''): Promise<string> {
  const { name, file, cwd } = command
  const folder = await kindOf(cwd)
  if (folder !== 'folder')
    return `its working directory ${cwd} ${folder === 'absent' ? 'does not exist' : 'is no folder'}`
  if (!isAbsolute(file)) {
    if (code === 'ENOENT') return `PATH has no ${name} (${path}). For one in ${cwd} write "./${name}"`
    if (code === 'EACCES') return `the ${name} in PATH is not executable: chmod +x (${path})`
    return message
  }
  const kind = await kindOf(file)
  if (kind === 'absent') return `there is no ${file}${file === name ? '' : `. "${name}" is relative to ${cwd}`}`
  if (kind === 'folder') return `${file} is a folder`
  if (code === 'ENOENT') {
    return `the interpreter in the first line of ${file} does not exist; or that line ends in CR LF, which belongs to its name`
  }
  if (code === 'ENOEXEC')
    return `${file} is no program of this system, and its first line names no interpreter (#!/bin/sh)`
  if (code !== 'EACCES') return message
  const executable = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!executable) return `it is not executable: chmod +x ${file}`
  return `permission denied, by the file system (mounted noexec?) or for the interpreter in the first line of ${file}`
}

async function kindOf(path: string): Promise<'folder' | 'file' | 'absent'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch {
    return 'absent'
  }
}
