/** The file that registers a handler, from which the handler gets its name in an inbox. */
import { existsSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this code: `src/probot`, or `dist` with its chunks. */
const ownFolders = [import.meta.dirname, join(import.meta.dirname, '../probot')]

/** The file that registers a handler. */
export interface Place {
  name: string
  /** Whether an installed package contains the file. */
  isInstalled: boolean
}

/**
 * The file outside of this folder that called it: `src/labels.js`, relative to the folder of its package.json, or
 * `name/lib/index.js` for an installed package. It contains neither a line nor the folder of the project, because a
 * deploy may change them.
 */
export function placeOfCaller(): Place {
  const file = callers().find((path) => !ownFolders.includes(dirname(path)))
  return file === undefined ? { name: 'app', isInstalled: false } : placeOf(file)
}

/** The files of the functions on the stack, the innermost first. */
function callers(): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = 30 // a class of the app, or a helper of a framework, may be between the app and `app.on`
    Error.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFileName())
    const files = new Error().stack as unknown as (string | null | undefined)[]
    return files.flatMap((file) => (file && !file.startsWith('node:') ? [pathOf(file)] : []))
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit })
  }
}

const pathOf = (file: string): string => (file.startsWith('file:') ? fileURLToPath(file) : file)

function placeOf(file: string): Place {
  const inPackage = file.split(`${sep}node_modules${sep}`).at(-1)
  const isInstalled = inPackage !== file
  const path = isInstalled ? (inPackage as string) : relative(projectOf(file), file)
  return { name: path.replaceAll(sep, '/'), isInstalled }
}

/** The folder of the nearest package.json, else that of the file. */
function projectOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) return dirname(file)
  }
}
