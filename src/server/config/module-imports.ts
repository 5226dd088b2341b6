/** The imports of the user's module: resolves `hookserver`, and records what explains a failed import. */
import { type ResolveFnOutput, type ResolveHookSync, registerHooks } from 'node:module'

/** An import that Node.js cannot resolve. */
interface FailedImport {
  specifier: string
  /** The URL of the file that contains the import. */
  importer: string | undefined
}

/** The name of the package that an import names: `@a/b` of `@a/b/c`. */
export const packageIn = (specifier: string): string | undefined => /^(@[^/]*\/)?[^/]+/.exec(specifier)?.[0]

const failedImports = new WeakMap<object, FailedImport>()

/** The import that Node.js could not resolve, if that is the reason of this error. */
export const failedImportOf = (error: object): FailedImport | undefined => failedImports.get(error)

/** The number of files that may have the syntax error of an import. Node.js 22 loads the imports of a file at once. */
const maxImports = 50

/** The URLs of the last resolved imports, the newest last. */
const imports: string[] = []

export const lastImports = (): readonly string[] => imports

let registered = false

/**
 * Records imports from now on. If the project has not installed `hookserver`, resolves it to this package, and `probot`
 * to `hookserver/probot`.
 */
export function followImports(): void {
  if (registered) return
  registered = true
  registerHooks({
    resolve(specifier, context, next) {
      const importer = context.parentURL // `next` may change `context`
      try {
        const resolved = resolve(specifier, context, next)
        imports.push(resolved.url)
        if (imports.length > maxImports) imports.shift()
        return resolved
      } catch (error) {
        failedImports.set(error as object, { specifier, importer })
        throw error
      }
    },
  })
}

function resolve(...[specifier, context, next]: Parameters<ResolveHookSync>): ResolveFnOutput {
  try {
    return next(specifier, context)
  } catch (error) {
    const isOwn = context.parentURL === import.meta.url // the call of `import.meta.resolve()` below
    if (isOwn || !/^(probot$|hookserver(\/|$))/.test(specifier)) throw error
    const own = specifier === 'probot' ? 'hookserver/probot' : specifier
    // A package can import itself by its name. `next` with another `parentURL` would do for `import`, not for `require()`.
    return { url: import.meta.resolve(own), shortCircuit: true }
  }
}
