import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../flags.ts'
import type { PlannedFile } from './plan.ts'

/** @throws {UsageError} if the path exists and is not a folder. */
export function assertFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false })
  if (stats === undefined || stats.isDirectory()) return
  throw new UsageError(`${folder} exists, and is not a folder: choose another folder`)
}

/** Writes the files that are not kept. @throws {Error} that names the files that were written before the failure. */
export function writeFiles(folder: string, files: readonly PlannedFile[]): void {
  const written: string[] = []
  let path = folder
  try {
    mkdirSync(folder, { recursive: true })
    for (const file of files.filter(({ step }) => step !== 'keep')) {
      path = join(folder, file.path)
      if (file.step === 'create') writeFileSync(path, file.text, { flag: 'wx' })
      else replace(path, file.text)
      written.push(file.path)
    }
  } catch (cause) {
    const done = written.length === 0 ? 'Nothing was written' : `Written before: ${written.join(', ')}`
    throw new Error(`Cannot write ${path}: ${(cause as Error).message}. ${done}`, { cause })
  }
}

/** Replaces a file. The old file stays until the new one is complete. */
function replace(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: statSync(path).mode & 0o777 })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
