import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isObject, type Json, textIn } from '../../runtime/json.ts'

/** The description of a project in its package.json. */
interface ProjectDescription {
  name: string
  description: string | undefined
  homepage: string | undefined
}

/** Describes the project of a module by its package.json. Without one, the name is that of the folder. */
export function describeProject(module: string): ProjectDescription {
  const folder = dirname(resolve(module))
  const manifest = packageAt(folder)
  const name = textIn(manifest, 'name')?.replace(/^@[^/]*\//, '')
  const homepage = textIn(manifest, 'homepage')
  return {
    name: name || basename(folder),
    description: textIn(manifest, 'description') || undefined,
    homepage: ['http:', 'https:'].includes(URL.parse(homepage ?? '')?.protocol ?? '') ? homepage : undefined,
  }
}

/** The nearest package.json, in this folder or above it. */
function packageAt(folder: string): Json | undefined {
  const parent = dirname(folder)
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return isObject(manifest) ? manifest : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) return undefined
    return packageAt(parent)
  }
}
