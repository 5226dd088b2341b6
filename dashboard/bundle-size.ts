import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Prints the size of the page, and fails the build if it is too large.
 * @param limits Bytes of JavaScript, compressed with gzip: `start` loads with the page, with the chunks that it imports;
 *   `total` includes the chunks that are loaded later.
 */
export function bundleSize(limits: { start: number; total: number }): Plugin {
  return {
    name: 'bundle-size',
    writeBundle(_options, bundle) {
      const files = Object.values(bundle).filter(({ fileName }) => fileName.endsWith('.js'))
      const atStart = new Set<string>()
      const addToStart = (fileName: string) => {
        const file = bundle[fileName]
        if (file?.type !== 'chunk' || atStart.has(fileName)) return
        atStart.add(fileName)
        file.imports.forEach(addToStart)
      }
      for (const file of files) if (file.type === 'chunk' && file.isEntry) addToStart(file.fileName)
      const sizeOf = (file: (typeof files)[number]) => gzipSync(file.type === 'chunk' ? file.code : file.source).length
      const sum = (some: typeof files) => some.reduce((total, file) => total + sizeOf(file), 0)
      const all = sum(files)
      const first = sum(files.filter(({ fileName }) => atStart.has(fileName)))
      const summary = `${kB(first)} of JavaScript to start (limit ${kB(limits.start)}), ${kB(all)} in total (limit ${kB(limits.total)}), gzip`
      console.log(`dashboard: ${summary}`)
      if (first > limits.start || all > limits.total) throw new Error(`The dashboard is too large: ${summary}`)
    },
  }
}

const kB = (bytes: number): string => `${Math.round(bytes / 1000)} kB`
