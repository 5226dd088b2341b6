import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Replaces the files of `assets` with compressed files. This saves space in an installation, and the server does not have
 * to compress them.
 */
export const compressAssets: Plugin = {
  name: 'compress-assets',
  writeBundle({ dir = '' }, bundle) {
    for (const fileName of Object.keys(bundle).filter((name) => name.startsWith('assets/'))) {
      const file = join(dir, fileName)
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
      rmSync(file)
    }
  },
}
