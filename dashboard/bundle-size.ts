import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Prints the size of the page, and fails the build if it is too large.
 * @param most Maximum bytes of JavaScript, compressed with gzip, including lazy chunks.
 */
export function bundleSize({ most }: { most: number }): Plugin {
  return {
    name: 'bundle-size',
    writeBundle(_options, bundle) {
      const sizes = Object.values(bundle)
        .filter(({ fileName }) => fileName.endsWith('.js'))
        .map((file) => ({
          atOnce: file.type === 'chunk' && file.isEntry,
          size: gzipSync(file.type === 'chunk' ? file.code : file.source).length,
        }))
      const sum = (some: typeof sizes) => some.reduce((total, { size }) => total + size, 0)
      const all = sum(sizes)
      const first = sum(sizes.filter(({ atOnce }) => atOnce))
      console.log(`dashboard: ${kB(first)} of JavaScript at first, ${kB(all)} in all, of ${kB(most)} (gzip)`)
      if (all > most) throw new Error(`The dashboard may have ${kB(most)} of JavaScript, and has ${kB(all)}`)
    },
  }
}

const kB = (bytes: number): string => `${Math.round(bytes / 1000)} kB`
