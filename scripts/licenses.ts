import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'rolldown'
import { getOrCreate } from '../src/runtime/get-or-create.ts'

/** A package whose code is in a bundle. */
interface BundledPackage {
  name: string
  version: string
  license: string
  /** The text of the license. */
  text: string
}

const fileName = 'licenses.txt'

/**
 * A plugin for Rolldown and Vite. Writes `licenses.txt`, with the packages whose code is in the bundle, and their
 * licenses. The bundles of web workers need the same instance, so that the file has their packages, too.
 */
export function licenses(): Plugin {
  const packages = new Map<string, BundledPackage>()
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue
        for (const [file, { renderedLength }] of Object.entries(chunk.modules)) {
          const folder = renderedLength > 0 && folderOfPackage(file)
          if (folder && !packages.has(folder)) packages.set(folder, readPackage(folder))
        }
      }
      this.emitFile({ type: 'asset', fileName, source: textOf([...packages.values()]) })
    },
  }
}

/** The names and versions in a file that the plugin has written. */
export function readLicenses(folder: string): Pick<BundledPackage, 'name' | 'version'>[] {
  const headings = readFileSync(join(folder, fileName), 'utf8').matchAll(/^=== (\S+) (\S+) \(.*\)$/gm)
  return [...headings].map(([, name = '', version = '']) => ({ name, version }))
}

const folderOfPackage = (file: string): string | undefined =>
  /^.*\/node_modules\/(?:@[^/]+\/)?[^/.][^/]*(?=\/)/.exec(file.replaceAll('\\', '/'))?.[0]

function readPackage(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((one) => /^license/i.test(one))
  if (file === undefined) throw new Error(`${folder} has no license file: its license must be part of ${fileName}`)
  return { name, version, license, text: readFileSync(join(folder, file), 'utf8').trim() }
}

/** The MIT License below the copyright. Most packages have it, with other line breaks. */
const permission = /^permission is hereby granted.*/ims

function textOf(packages: readonly BundledPackage[]): string {
  const owners = new Map<string, string>()
  const parts = packages
    .toSorted((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1))
    .map(({ name, version, license, text }) => {
      const shortened = text.replace(permission, (notice) => {
        const owner = getOrCreate(owners, notice.replace(/\s+/g, ' '), () => name)
        return owner === name ? notice : `The permission notice is that of ${owner}, above.`
      })
      return `=== ${name} ${version} (${license})\n\n${shortened}\n`
    })
  return ['This folder contains code of these packages.\n', ...parts].join('\n')
}
