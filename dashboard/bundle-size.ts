import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Prints the size of the page, and fails the build if it is too large.
 * @param limits Bytes of JavaScript, compressed with gzip: `start` loads with the page, `total` includes lazy chunks.
 */
export function bundleSize(limits: { start: number; total: number }): Plugin {
  return {
    name: 'bundle-size',
    writeBundle(_options, bundle) {
      const sizes = Object.values(bundle)
        .filter(({ fileName }) => fileName.endsWith('.js'))
        .map((file) => ({
          isEntry: file.type === 'chunk' && file.isEntry,
          size: gzipSync(file.type === 'chunk' ? file.code : file.source).length,
        }))
      const sum = (some: typeof sizes) => some.reduce((total, { size }) => total + size, 0)
      const all = sum(sizes)
      const first = sum(sizes.filter(({ isEntry }) => isEntry))
      const summary = `${kB(first)} of JavaScript to start (limit ${kB(limits.start)}), ${kB(all)} in total (limit ${kB(limits.total)}), gzip`
      console.log(`dashboard: ${summary}`)
      if (first > limits.start || all > limits.total) throw new Error(`The dashboard is too large: ${summary}`)
    },
  }
}

const kB = (bytes: number): string => `${Math.round(bytes / 1000)} kB`
