/**
 * Plans the steps of `init` for the files of a project. An existing file is merged if the merge keeps all of its
 * content. Any other existing file is in the way: the user decides whether to overwrite it.
 */
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { formatManifest, type Manifest, type ProjectFile } from './templates.ts'

/**
 * `update`: the file gets additions, and loses nothing. `overwrite`: the file is in the way. `keep`: the file already
 * has the right content, or the user keeps it.
 */
export type Step = 'create' | 'update' | 'overwrite' | 'keep'

export interface PlannedFile extends ProjectFile {
  step: Step
}

/**
 * Compares the files that `init` would write with those that exist in the folder.
 * @throws {Error} if an existing file cannot be read.
 */
export function planFiles(folder: string, files: readonly ProjectFile[]): PlannedFile[] {
  return files.map((file) => {
    const existing = readExisting(join(folder, file.path))
    return { ...file, ...(existing === undefined ? { step: 'create' } : stepFor(file, existing)) }
  })
}

/** @param existing The text of the file that exists. */
export function stepFor({ path, text }: ProjectFile, existing: string): { text: string; step: Step } {
  const merged = merge[path]?.(existing, text) ?? { text, keepsAll: false }
  if (merged.text === existing) return { text: existing, step: 'keep' }
  return { text: merged.text, step: merged.keepsAll ? 'update' : 'overwrite' }
}

interface Merged {
  text: string
  keepsAll: boolean
}

const merge: Readonly<Record<string, (existing: string, text: string) => Merged>> = {
  'package.json': mergeManifests,
  '.gitignore': addLines,
}

/** The script that `npm init` writes. */
const noTest = 'echo "Error: no test specified" && exit 1'

/**
 * Adds the members that the project needs. Only two values may change: `type`, because the modules of a project are ES
 * modules, and the script `test`, if it is the one that `npm init` writes.
 */
function mergeManifests(existing: string, text: string): Merged {
  const [old, needed] = [parseManifest(existing), JSON.parse(text) as Manifest]
  const { test, ...scripts } = old.scripts ?? {}
  const merged: Manifest = {
    ...old,
    type: 'module',
    scripts: { ...needed.scripts, ...scripts, ...(test !== undefined && test !== noTest && { test }) },
    dependencies: { ...needed.dependencies, ...old.dependencies },
    devDependencies: { ...needed.devDependencies, ...old.devDependencies },
  }
  const changed = !isDeepStrictEqual(merged, old)
  // npm 11 writes the type "commonjs" into each new package.json, without a choice of the user.
  const keepsAll = [undefined, 'module'].includes(old.type) || test === noTest
  return { text: changed ? formatManifest(merged) : existing, keepsAll }
}

function parseManifest(text: string): Manifest {
  let manifest: unknown
  try {
    manifest = JSON.parse(text)
  } catch {
    // reported below
  }
  if (typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest)) return manifest as Manifest
  throw new Error('package.json does not contain a JSON object: correct or remove it')
}

function addLines(existing: string, text: string): Merged {
  const known = new Set(existing.split(/\r?\n/))
  const missing = text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !known.has(line))
  const end = existing === '' || existing.endsWith('\n') ? '' : '\n'
  const added = missing.map((line) => `${line}\n`).join('')
  return { text: missing.length === 0 ? existing : `${existing}${end}${added}`, keepsAll: true }
}

/** @returns `undefined` if there is no file. */
function readExisting(path: string): string | undefined {
  let problem = 'it exists, and is not a regular file'
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    if (stats.isFile()) return new TextDecoder().decode(readFileSync(path)) // without a byte order mark
  } catch (error) {
    problem = (error as Error).message
  }
  throw new Error(`Cannot write ${path}: ${problem}. Nothing was written. Choose another folder`)
}
