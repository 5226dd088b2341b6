/** What to do about common mistakes that make an import fail. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suggestion } from '../../runtime/nearest.ts'
import { failedImportOf, packageIn } from './module-imports.ts'

/** @param file The file with the mistake, if it is known. */
export function cureOf(error: Error, file: string | undefined): string | undefined {
  return cureOfPath(error) ?? cureOfPackage(error) ?? (file && (cureOfType(error, file) ?? cureOfModule(error, file)))
}

function cureOfPath(error: Error): string | undefined {
  const { specifier = '', importer } = failedImportOf(error) ?? {}
  if (!specifier.startsWith('.')) return undefined
  const meant = meantSpecifier(specifier, importer)
  if (meant !== undefined) return `did you mean "${meant}"?`
  return `create the file, or correct the path.${nearestFile(specifier, importer)}`.replace(/\.$/, '')
}

/** The file in the folder of a missing file that has a similar name. */
function nearestFile(specifier: string, importer = ''): string {
  try {
    const folder = new URL('./', new URL(specifier, importer))
    const before = specifier.slice(0, specifier.lastIndexOf('/') + 1)
    return suggestion(
      specifier,
      readdirSync(folder).map((file) => before + file),
    )
  } catch {
    return '' // there is no such folder
  }
}

/** The endings of a file that an import may lack, or may have in place of another one. */
const endings = ['.ts', '.js', '.mts', '.mjs', '/index.ts', '/index.js']

/** The import of a file that exists, for an import without the ending of the file, or with that of compiled files. */
function meantSpecifier(specifier: string, importer: string | undefined): string | undefined {
  if (!importer?.startsWith('file:')) return undefined
  const stem = specifier.replace(/\.[cm]?js$/, '')
  return endings.map((ending) => stem + ending).find((path) => existsSync(new URL(path, importer)))
}

/** The text before the name of a package that is not installed: of `import`, and of `require()`. */
const missing = /^Cannot find (?:package|module) '/

function cureOfPackage(error: Error): string | undefined {
  const { specifier = '', importer } = failedImportOf(error) ?? {}
  if (!missing.test(error.message) || !importer?.startsWith('file:')) return undefined
  const name = packageIn(specifier)
  if (name === undefined || isInstalled(name, importer)) return undefined
  if (!isTypeScriptPath(specifier, importer) && /^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/i.test(name)) {
    return `run npm install ${name}`
  }
  return 'Node.js does not read "paths" and "baseUrl" of tsconfig.json: use a relative path, or "imports" in package.json'
}

function isInstalled(name: string, importer: string): boolean {
  try {
    return findPackageJSON(name, importer) !== undefined
  } catch {
    return false
  }
}

/** Whether `paths` of tsconfig.json have a pattern for an import, or a file of the project has this path. */
function isTypeScriptPath(specifier: string, importer: string): boolean {
  const manifest = findPackageJSON(importer)
  const folder = manifest === undefined ? new URL('./', importer) : new URL('./', pathToFileURL(manifest))
  const config = readText(new URL('tsconfig.json', folder))
  // A search in the text, because the file may have comments, and no parser for them may be installed.
  const keys = [...config.matchAll(/"([^"\n]+)"\s*:/g)].map(([, key = '']) => key)
  const isPath = keys.some((key) => (/.\*$/.test(key) ? specifier.startsWith(key.slice(0, -1)) : key === specifier))
  const [, base = '.'] = /"baseUrl"\s*:\s*"([^"\n]+)"/.exec(config) ?? []
  return isPath || meantSpecifier(specifier, new URL(`${base}/`, folder).href) !== undefined
}

function readText(file: URL): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Node.js removes only those types from an import that are marked as types. */
function cureOfType({ message }: Error, file: string): string | undefined {
  const [, name] = /does not provide an export named '([A-Z]\w*)'$/.exec(message) ?? []
  return name && /\.[cm]?ts$/.test(file)
    ? `correct the name or, if it is a type, write import { type ${name} }`
    : undefined
}

function cureOfModule({ message }: Error, file: string): string | undefined {
  const [, name] = /^__(dirname|filename) is not defined in ES module scope/.exec(message) ?? []
  if (name) return `write import.meta.${name}`
  if (!/^(Cannot use import statement outside a module|Unexpected token 'export')$/.test(message)) return undefined
  const ending = extname(file)
  if (/^\.c[jt]s$/.test(ending)) return `rename the file to ${ending.replace('c', 'm')}`
  const manifest = findPackageJSON(pathToFileURL(file))
  if (!/^\.[jt]s$/.test(ending) || manifest === undefined || /[\\/]node_modules[\\/]/.test(file)) return undefined
  if (!/"type"\s*:\s*"commonjs"/.test(readText(pathToFileURL(manifest)))) return undefined
  return `run npm pkg set type=module or, if other files are CommonJS, rename the file to ${ending.replace('.', '.m')}`
}
