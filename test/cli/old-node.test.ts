import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { main } from '../build.ts'
import { hookserverProcess } from './command.ts'

const dist = join(dirname(main), '..')
const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })'
const asOldNode = ['--import', `data:text/javascript,${old}`]

test('names the version of Node.js that it needs, and imports no command', async () => {
  const ended = await hookserverProcess(['--version'], {}, { node: asOldNode })
  expect(ended).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'hookserver needs Node.js 22.18 or later; this is 20.20.2.\n',
  })
})

test.each(['sqlite', 'postgres', 'testing'])(
  'hookserver/%s names the version of Node.js that it needs',
  async (name) => {
    const entry = pathToFileURL(join(dist, name, 'index.js')).href
    const code = `import(${JSON.stringify(entry)}).catch(({ message }) => console.log(message))`
    const { stdout } = await promisify(execFile)(process.execPath, [...asOldNode, '--eval', code])
    expect(stdout).toBe('hookserver needs Node.js 22.18 or later; this is 20.20.2.\n')
  },
)

test('no file imports a function by name that Node.js 18 and 20 lack, because that is a syntax error there', () => {
  const lacking = /^import \{[^}]*\b(zstd\w+|hash)\b[^}]*\} from "node:(zlib|crypto)"/m
  const files = globSync('{sqlite,postgres,testing,chunks}/**/*.js', { cwd: dist })
  expect(files).toContain('chunks/sqlite.js')
  expect(files.filter((file) => lacking.test(readFileSync(join(dist, file), 'utf8')))).toEqual([])
})
