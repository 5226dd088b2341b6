/** Loaded before a program (`--import`): makes the packages for PostgreSQL unresolvable. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    return next(/^pg(-boss)?$/.test(specifier) ? 'a-package-that-is-not-installed' : specifier, context)
  },
})
