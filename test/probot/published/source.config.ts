/** Runs the tests of a clone of Probot with `hookserver/probot` in place of its sources. */
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const own = join(import.meta.dirname, '../../../src/probot/index.ts')
/** The modules of Probot that its tests import for the public interface. */
const replaced = /\/src\/(index|context|probot|run|server\/server|octokit\/probot-octokit)\.js$/

export default defineConfig({
  plugins: [
    {
      name: 'hookserver-user-agent',
      enforce: 'pre',
      // The other assertions of these tests are useful.
      transform: (code, file) =>
        file.endsWith('/test/probot-octokit.test.ts')
          ? code.replaceAll('.slice(0, 7)).toBe("probot/")', '.slice(0, 11)).toBe("hookserver/")')
          : undefined,
    },
    {
      name: 'hookserver-probot',
      enforce: 'pre',
      resolveId: (path, importer = '') => (/\/test\//.test(importer) && replaced.test(path) ? own : undefined),
    },
  ],
  // The secret stands for the default of Probot, which hookserver does not have.
  test: { testTimeout: 15_000, env: { GITHUB_WEBHOOKS_KEY: 'development' } },
})
