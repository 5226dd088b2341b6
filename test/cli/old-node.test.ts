import { expect, test } from 'vitest'
import { hookserverProcess } from './command.ts'

test('names the version of Node.js that it needs, and imports no command', async () => {
  const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })'
  const ended = await hookserverProcess(['--version'], {}, { node: ['--import', `data:text/javascript,${old}`] })
  expect(ended).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'hookserver needs Node.js 22.18 or later; this is 20.20.2.\n',
  })
})
