/**
 * Puts the temporary files of the tests in memory, where SQLite and PostgreSQL do not wait for a disk. Uses the usual
 * folder if `TMPDIR` is set, if the memory has less than 4 GiB of room, or if it may not contain programs. The usual
 * folder of macOS is a symbolic link, and a process that starts in such a folder sees the path behind the link. So the
 * tests use that path.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, realpathSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const memory = '/dev/shm'
/** The names of the folders begin with this text and the id of the process that uses them. */
const prefix = 'hookserver-tests-'
const neededBytes = 4 * 2 ** 30

/** @returns a function that deletes the files after the tests. */
export function setup(): (() => void) | undefined {
  const isChosen = process.env.TMPDIR !== undefined
  process.env.TMPDIR = realpathSync(tmpdir())
  if (isChosen) return undefined
  deleteLeftovers()
  if (!hasRoom()) return undefined
  const folder = mkdtempSync(join(memory, `${prefix}${process.pid}-`))
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  if (!mayContainPrograms(folder)) return void remove()
  chmodSync(folder, 0o711) // PostgreSQL runs as another user if the tests run as root
  process.env.TMPDIR = folder
  return remove
}

/** Deletes the folders of tests that were killed. */
function deleteLeftovers(): void {
  for (const folder of globSync(`${prefix}*`, { cwd: memory })) {
    const pid = Number.parseInt(folder.slice(prefix.length), 10)
    if (!isAlive(pid)) rmSync(join(memory, folder), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
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
