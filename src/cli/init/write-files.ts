import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../server/config/replace-file.ts'
import { UsageError } from '../flags.ts'
import type { PlannedFile } from './plan.ts'

/** @throws {UsageError} if the path exists and is not a folder. */
export function assertFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false })
  if (stats === undefined || stats.isDirectory()) return
  throw new UsageError(`${folder} exists, and is not a folder: choose another folder`)
}

/** Writes all files except those with the step `keep`. @throws {Error} that names the files that it has written. */
export function writeFiles(folder: string, files: readonly PlannedFile[]): void {
  const written: string[] = []
  let path = folder
  try {
    mkdirSync(folder, { recursive: true })
    for (const file of files.filter(({ step }) => step !== 'keep')) {
      path = join(folder, file.path)
      if (file.step === 'create') writeFileSync(path, file.text, { flag: 'wx' })
      else replaceExisting(path, file.text)
      written.push(file.path)
    }
  } catch (error) {
    const cause = (error as Error).cause ?? error // the message of `replaceFile` would repeat "Cannot write"
    const done = written.length === 0 ? 'Nothing was written' : `Written before: ${written.join(', ')}`
    throw new Error(`Cannot write ${path}: ${(cause as Error).message}. ${done}`, { cause })
  }
}

function replaceExisting(path: string, text: string): void {
  const old = statSync(path)
  replaceFile(path, text, old, old.mode & 0o777)
}
