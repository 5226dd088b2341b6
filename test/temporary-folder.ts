/**
 * Puts the temporary files of the tests in memory, where SQLite and PostgreSQL do not wait for a disk. Uses the usual
 * folder if `TMPDIR` is set, if the memory has less than 4 GiB of room, or if it may not contain programs.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const memory = '/dev/shm'
const neededBytes = 4 * 2 ** 30

/** @returns a function that deletes the files after the tests. */
export function setup(): (() => void) | undefined {
  if (process.env.TMPDIR || !hasRoom()) return undefined
  const folder = mkdtempSync(join(memory, 'hookserver-tests-'))
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  if (!mayContainPrograms(folder)) return void remove()
  chmodSync(folder, 0o711) // PostgreSQL runs as another user if the tests run as root
  process.env.TMPDIR = folder
  return remove
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize >= neededBytes
  } catch {
    return false // only Linux has this folder
  }
}

function mayContainPrograms(folder: string): boolean {
  try {
    writeFileSync(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o700 })
    execFileSync(join(folder, 'program'))
    return true
  } catch {
    return false
  }
}
