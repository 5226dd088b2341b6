import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { shortened } from '../../scripts/payload-types.ts'

const root = join(import.meta.dirname, '../..')
const folder = await mkdtemp(join(tmpdir(), 'hookserver-payload-types-'))
afterAll(() => rmSync(folder, { recursive: true }))

const description = readFileSync(join(root, 'node_modules/@octokit/openapi-webhooks-types/types.d.ts'), 'utf8')

/** Lists the operations whose payloads differ in the two modules. */
const comparison = `
import type { operations as Described } from './described.d.ts'
import type { operations as Published } from './published.d.ts'

type PayloadOf<Operation> = Operation extends { requestBody: { content: { 'application/json': infer Payload } } }
  ? Payload
  : 'no payload'
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Differing = {
  [Name in keyof Described | keyof Published]: Name extends keyof Described & keyof Published
    ? Equal<PayloadOf<Described[Name]>, PayloadOf<Published[Name]>> extends true ? never : Name
    : Name
}[keyof Described | keyof Published]
const differing: Differing[] = []
export const none: never[] = differing
`

/** The errors of the newest version of TypeScript. */
function compare(published: string): string {
  writeFileSync(join(folder, 'described.d.ts'), description)
  writeFileSync(join(folder, 'published.d.ts'), published)
  writeFileSync(join(folder, 'comparison.ts'), comparison)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [
    tsc,
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    '',
    '--pretty',
    'false',
  ]
  try {
    return execFileSync(process.execPath, [...args, 'comparison.ts'], { cwd: folder, encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

test('the published payloads have the types of the description', () => {
  const published = shortened(description)
  expect(published.length).toBeLessThan(description.length / 3)
  expect(compare(published)).toBe('')
})

test('the published payloads keep the descriptions of their members', () => {
  const published = shortened(description)
  expect(published).toContain('/** Unique identifier of the enterprise */')
  expect(published).toContain('@deprecated')
  expect(published).not.toMatch(/X-GitHub-Delivery|@example|Format: uri/)
})
