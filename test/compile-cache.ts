import { fileURLToPath } from 'node:url'

/**
 * The environment of the programs and threads that tests start. It makes Node.js cache the compiled code, and the
 * sources without their types, so that the next start is faster
 * (https://nodejs.org/api/module.html#module-compile-cache).
 */
export const compileCache = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)),
}
