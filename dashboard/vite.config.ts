import { defineConfig } from 'vite'
import { licenses } from '../scripts/licenses.ts'
import { bundleSize } from './bundle-size.ts'
import { compressAssets } from './compress-assets.ts'

const licensePlugin = licenses()

/** The modules of the charts that only screens show which are loaded later. */
const smallCharts = /\/handlers\/(small-chart|handler-charts)\./

export default defineConfig({
  root: import.meta.dirname,
  base: './', // a proxy may serve the page under any path
  logLevel: 'warn',
  plugins: [bundleSize({ start: 60_000, total: 250_000 }), licensePlugin, compressAssets],
  worker: { format: 'es', plugins: () => [licensePlugin] },
  build: {
    outDir: '../dist/dashboard',
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari18'],
    assetsInlineLimit: 0, // the Content-Security-Policy allows only files of this server
    modulePreload: { polyfill: false },
    cssCodeSplit: false, // the styles of lazy chunks are small, and each file counts
    reportCompressedSize: false,
    // One file for the modules that several chunks import: the page loads all of them to start, except small charts.
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'shared', minShareCount: 2, test: (id) => !smallCharts.test(id) }] },
      },
    },
  },
})
