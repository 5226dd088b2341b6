/**
 * `docs/options.md` has a table row for each option of `Hooks`. This program writes the rows from the comments of
 * `MountOptions` and `HooksOptions`, and compares their `@default` with the defaults of the code. `npm run check` runs it with `--check`,
 * which only compares.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { rules } from '../src/settings.ts'

const root = join(import.meta.dirname, '..')
const page = join(root, 'docs/options.md')

/** The documentation of an option: the parts of its comment. */
export interface OptionDoc {
  text: string
  fallback: string
  example: string
}

function readDocs(): Map<string, OptionDoc> {
  const source = readFileSync(join(root, 'src/options.ts'), 'utf8')
  const members = source.slice(source.indexOf('export interface MountOptions'))
  const found = members.matchAll(/ {2}\/\*\*\n(.*?) {3}\*\/\n {2}(\w+)\?:/gs)
  return new Map([...found].map(([, comment = '', name = '']) => [name, parse(comment)]))
}

function parse(comment: string): OptionDoc {
  const lines = comment.split('\n').map((line) => line.replace(/^ {3}\* ?/, ''))
  const [text = '', ...tags] = lines
    .join(' ')
    .trim()
    .split(/ @(?=default |example )/)
  const tag = (name: string) => tags.find((one) => one.startsWith(`${name} `))?.slice(name.length + 1) ?? ''
  return { text: text.trim(), fallback: tag('default').trim(), example: tag('example').trim() }
}

export const docs: ReadonlyMap<string, OptionDoc> = readDocs()

/** The page with its rows replaced by those of the comments. */
export function withRows(text: string): string {
  return text.replace(/^\| `(\w+)` \|.*\|.*\|.*\|$/gm, (row, name: string) => {
    const doc = docs.get(name)
    return doc ? `| \`${name}\` | ${doc.fallback} | ${doc.text} | \`${doc.example}\` |` : row
  })
}

/** The faults: incomplete comments, options without exactly one row, and defaults that differ from the code's. */
export function faults(text: string): string[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const doc = docs.get(name)
    if (!doc?.text || !doc.fallback || !doc.example) return [`${name}: the comment lacks a text, @default or @example`]
    const rows = text.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`)).length
    if (rows !== 1) return [`${name}: docs/options.md has ${rows} rows instead of one`]
    const value: unknown = rule.default
    if (value === undefined) return []
    const expected = typeof value === 'number' ? String(value) : `\`${literal(value)}\``
    return doc.fallback.split(' (')[0] === expected ? [] : [`${name}: @default must be ${expected}`]
  })
}

function literal(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((item) => inspect(item)).join(', ')}]` : inspect(value)
}

if (import.meta.main) {
  const before = readFileSync(page, 'utf8')
  const after = withRows(before)
  const found = faults(after)
  if (!process.argv.includes('--check')) writeFileSync(page, after)
  else if (after !== before) found.push('docs/options.md differs from src/options.ts: run node scripts/options-docs.ts')
  for (const fault of found) console.error(fault)
  console.log(`options: ${docs.size} documented, ${found.length} faults`)
  process.exitCode = found.length > 0 ? 1 : 0
}
