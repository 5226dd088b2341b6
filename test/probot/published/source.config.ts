/** Runs the tests of a clone of Probot with `hookserver/probot` in place of its sources. */
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const own = join(import.meta.dirname, '../../../src/probot/index.ts')
/** The modules of Probot that its tests import for the public interface. */
const replaced = /\/src\/(index|context|probot|run|server\/server|octokit\/probot-octokit)\.js$/

export default defineConfig({
  plugins: [
    {
      name: 'hookserver-probot',
      enforce: 'pre',
      resolveId: (path, importer = '') => (/\/test\//.test(importer) && replaced.test(path) ? own : undefined),
    },
  ],
  test: { reporters: ['verbose'], testTimeout: 15_000 },
})
