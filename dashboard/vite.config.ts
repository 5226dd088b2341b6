import { defineConfig } from 'vite'
import { bundleSize } from './bundle-size.ts'

export default defineConfig({
  root: import.meta.dirname,
  base: './', // a proxy may serve the page under any path
  logLevel: 'warn',
  plugins: [bundleSize({ limit: 250_000 })],
  worker: { format: 'es' },
  build: {
    outDir: '../dist/dashboard',
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari18'],
    assetsInlineLimit: 0, // the Content-Security-Policy allows only files of this server
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
