import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Prints the size of the page, and fails the build if it is too large.
 * @param limit Bytes of JavaScript, compressed with gzip, including lazy chunks.
 */
export function bundleSize({ limit }: { limit: number }): Plugin {
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
      console.log(`dashboard: ${kB(first)} of JavaScript to start, ${kB(all)} in total, limit ${kB(limit)} (gzip)`)
      if (all > limit) throw new Error(`The dashboard has ${kB(all)} of JavaScript (gzip), more than ${kB(limit)}`)
    },
  }
}

const kB = (bytes: number): string => `${Math.round(bytes / 1000)} kB`
