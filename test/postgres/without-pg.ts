/** Loaded before a program (`--import`): it is as if nobody had installed the packages for PostgreSQL. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    return next(/^pg(-boss)?$/.test(specifier) ? 'a-package-that-nobody-has-installed' : specifier, context)
  },
})
