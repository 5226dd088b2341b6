import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { compileCache } from './test/compile-cache.ts'
import { LongestFirst } from './test/longest-first.ts'

/** Files that need a process of their own. The others share processes, which saves half a second for each file. */
const isolated = [
  'test/{inbox/diagnostics,postgres/connection/open,server/config/code-location,sqlite/maintenance}.test.ts', // replace modules
  // measure the memory of the process, its timers or its subscribers
  'test/{github/{api-budget,github-client},inbox/parsed-size,runtime/{drain,timer},server/metrics/metrics}.test.ts',
]

/** Files that test the threads of an inbox. */
const threaded = [
  'test/sqlite/{threads,delivery-store/store-queue}.test.ts',
  'test/postgres/delivery-reader/search.test.ts',
]

/** Lets the inboxes of most tests serve their calls in the thread of the test. */
const inThread: Plugin = {
  name: 'hookserver-in-thread',
  enforce: 'pre',
  resolveId(path, importer = '') {
    const isClient = path.endsWith('/thread-client.ts') && /\/src\/(sqlite|postgres)\/threads\.ts$/.test(importer)
    return isClient ? join(import.meta.dirname, 'test/runtime/in-thread-client.ts') : undefined
  },
}

export default defineConfig({
  test: {
    projects: [
      { extends: true, plugins: [inThread], test: { name: 'isolated', include: isolated } },
      { extends: true, test: { name: 'threaded', include: threaded, exclude: isolated, isolate: false } },
      { extends: true, test: { name: 'campaigns', include: ['test/**/*.campaign.ts'], isolate: false } },
      {
        extends: true,
        plugins: [inThread],
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...isolated, ...threaded, '**/node_modules'],
          isolate: false,
        },
      },
    ],
    // Tests wait for events, and on a busy machine each event may take many times as long. Only a test that hangs needs
    // these limits.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    globalSetup: ['test/build.ts', 'test/browser/chromium.ts', 'test/temporary-folder.ts'],
    // A thread that strips the types of a file runs WebAssembly. JavaScript calls a WebAssembly function through a
    // wrapper. After a thousand calls of the function, V8 replaces the wrapper with a faster one, and may free the old
    // wrapper while another thread still runs it. Then the process ends with SIGSEGV. With this budget, V8 replaces no
    // wrapper, because no function is called so often.
    //
    // The two other flags leave room for the objects of the test files that share a process. Otherwise, V8 collects
    // garbage all the time, which takes 5 % of the time of all tests.
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000', '--initial-old-space-size=512', '--min-semi-space-size=16'],
    maxConcurrency: 4, // while tests wait for the CPU, their inboxes send heartbeats, which take CPU too
    maxWorkers: availableParallelism() + 2, // more than the cores, because many tests wait for timers and processes
    sequence: { sequencer: LongestFirst },
    // The environment of a developer's machine must not influence a test.
    env: {
      ...{ GITHUB_WEBHOOKS_KEY: '', SECRET_KEY: '', GITHUB_TOKEN: '', GITHUB_APP_ID: '', GITHUB_APP_PRIVATE_KEY: '' },
      ...compileCache, // each inbox starts threads, and each thread would strip the types of the sources again
    },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Tests start these in processes of their own, where coverage is not measured.
      exclude: [
        'src/cli/**',
        'src/server/{listener,logging,open-inbox,serve}.ts',
        'src/server/config/{hooks-module,secret}.ts',
      ],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 95 },
    },
  },
})
