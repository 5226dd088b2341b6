import { defineConfig } from 'vitest/config'
import { compileCache } from './test/compile-cache.ts'
import { LongestFirst } from './test/longest-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } }, // on a machine that is busy a page takes its time
    globalSetup: 'test/browser/chromium.ts',
    // A thread that takes the types off a file runs WebAssembly, and V8 may free what another one runs while it replaces the
    // wrapper of a function that was called a thousand times: a process then ends with SIGSEGV. So none is replaced.
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
    maxWorkers: 3, // many of them wait for timers and processes: as many workers as CI has cores leave these idle
    sequence: { sequencer: LongestFirst },
    // What a developer's machine has in its environment must not decide a test.
    env: {
      ...{ GITHUB_WEBHOOKS_KEY: '', SECRET_KEY: '', GITHUB_TOKEN: '', GITHUB_APP_ID: '', GITHUB_APP_PRIVATE_KEY: '' },
      ...compileCache, // each inbox starts threads, and each thread would take the types off the sources anew
    },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Tests start these as processes of their own, in which coverage is not measured.
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
