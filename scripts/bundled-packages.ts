/**
 * SECURITY.md has a table row for each package whose code is in `dist`. This program writes the rows from the license
 * files of the last build. `npm run check` runs it with `--check`, which only compares.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLicenses } from './licenses.ts'

const root = join(import.meta.dirname, '..')
const page = join(root, 'SECURITY.md')

/** The packages that neither the server nor all commands use, and what uses them. */
const featureOf: Readonly<Record<string, string>> = {
  '@octokit/openapi-webhooks-types': 'types of payloads',
  croner: 'schedules',
  ...Object.fromEntries(
    ['markdown-it', 'markdown-it-footnote', 'entities', 'linkify-it', 'mdurl', 'punycode.js', 'uc.micro'].map(
      (name) => [name, 'comment commands'],
    ),
  ),
}

/** The folders of `dist` with a license file, and who runs the code in them. */
const parts = { dist: 'commands and server', 'dist/dashboard': 'dashboard' }

const rows = Object.entries(parts).flatMap(([folder, part]) =>
  readLicenses(join(root, folder)).map(({ name, version }) => {
    return `| \`${name}\` | ${version} | ${featureOf[name] ?? part} |\n`
  }),
)

const heading = '| package | version | part |\n|---|---|---|\n'
const before = readFileSync(page, 'utf8')
const [start = '', rest] = before.split(heading)
if (rest === undefined) throw new Error(`SECURITY.md has no table with the heading\n${heading}`)
const after = start + heading + rows.join('') + rest.replace(/^(?:\|.*\n)*/, '')

const differs = after !== before
if (!process.argv.includes('--check')) writeFileSync(page, after)
else if (differs) {
  console.error(
    'SECURITY.md lists other packages than dist contains: run npm run build and node scripts/bundled-packages.ts',
  )
  process.exitCode = 1
}
console.log(`bundled packages: ${rows.length} in SECURITY.md`)
