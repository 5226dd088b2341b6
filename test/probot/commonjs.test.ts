/** `require('hookserver/probot')`, in apps that are CommonJS modules. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { main } from '../build.ts'

test('a CommonJS module can require the built package, which holds neither a timer nor a file open', () => {
  const program = `
    const { Probot } = require('hookserver/probot')
    const app = new Probot({ githubToken: 'token' })
    app.on('push', ({ name }) => console.log(name, 'received'))
    app.receive({ id: '1', name: 'push', payload: {} })`
  const cwd = join(main, '../../..') // a package can require itself by its name
  const output = execFileSync(process.execPath, ['--input-type=commonjs', '-e', program], { cwd, encoding: 'utf8' })
  expect(output).toBe('push received\n')
})
