import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { project, ServedProcess } from '../../server/service.ts'

/** A module with an import that logs its value. */
const files = {
  'hooks.ts': `
  import { Hooks } from 'hookserver'
  import { reply } from './reply.ts'
  console.log('The reply is ' + reply)
  export default new Hooks()`,
  'reply.ts': "export const reply = 'one'",
}

const receiving = (served: ServedProcess) => served.lines.filter(({ msg }) => msg.startsWith('Receiving'))

describe('serve --dev', () => {
  test('restarts after each save of an import by a rename, and ends after its supervisor was killed', async () => {
    const folder = project(files)
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    await served.url()
    for (const [index, reply] of ['two', 'three'].entries()) {
      writeFileSync(join(folder, 'saved'), `export const reply = '${reply}'`)
      renameSync(join(folder, 'saved'), join(folder, 'reply.ts'))
      await expect.poll(() => receiving(served)).toHaveLength(index + 2)
      expect(served.output).toContain(`hookserver: reply.ts has changed: the server starts again.\n`)
      expect(served.output).toContain(`The reply is ${reply}\n`)
    }
    served.child.kill('SIGKILL')
    expect(await served.ended).toBe(null) // the output is closed, so no process has remained
  })

  test('restarts when .env is created or changed, and reads it again', async () => {
    const module = `console.log('The reply is ' + process.env.REPLY)\n${files['hooks.ts'].replace(/^.*reply.*$/gm, '')}`
    const folder = project({ 'hooks.ts': module })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    await served.url()
    for (const [index, reply] of ['one', 'two'].entries()) {
      writeFileSync(join(folder, '.env'), `REPLY=${reply}\n`)
      await expect.poll(() => receiving(served)).toHaveLength(index + 2)
      expect(served.output).toContain('hookserver: .env has changed: the server starts again.\n')
      expect(served.output).toContain(`The reply is ${reply}\n`)
    }
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
  })

  test('uses a module with a default name as soon as it is created', async () => {
    const folder = project({})
    const served = new ServedProcess(folder, ['--dev'])
    await served.url()
    writeFileSync(join(folder, 'hooks.ts'), `${files['hooks.ts']}`.replace(/import .*reply.*/, "const reply = 'late'"))
    await expect.poll(() => served.output).toContain('The reply is late\n')
    await expect.poll(() => receiving(served)).toHaveLength(2)
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
  })

  test('starts when a missing import is created', async () => {
    const folder = project({ 'hooks.ts': files['hooks.ts'] })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    await expect
      .poll(() => served.output)
      .toMatch(
        /Cannot find module .*\n.* It starts again when hooks\.ts, one of its imports, \.env or package\.json changes\./,
      )
    writeFileSync(join(folder, 'reply.ts'), files['reply.ts'])
    await served.url()
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
  })

  test('starts when package.json makes its module an ES module', async () => {
    const module = "import { Hooks } from 'hookserver'\nexport default new Hooks()"
    const folder = project({ 'hooks.ts': module, 'package.json': '{ "type": "commonjs" }' })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    await expect
      .poll(() => served.output)
      .toMatch(/: run npm pkg set type=module or, .*\n.* It starts again when hooks\.ts,/)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    await served.url()
  })

  test('starts when a missing package is installed, without a change of package.json', async () => {
    const module = "import { Hooks } from 'hookserver'\nimport '@acme/shop'\nexport default new Hooks()"
    const folder = project({ 'hooks.ts': module, 'package.json': '{ "type": "module" }' })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    await expect.poll(() => served.output).toMatch(/: run npm install @acme\/shop\n.* It starts again when hooks\.ts,/)
    const installed = join(folder, 'node_modules/@acme/shop')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'index.js'), '')
    writeFileSync(join(installed, 'package.json'), '{ "name": "@acme/shop" }')
    await served.url()
  })

  test('ends if its port is in use, because no change of a file can help', async () => {
    const folder = project({ 'hooks.ts': "import { Hooks } from 'hookserver'\nexport default new Hooks()" })
    const first = new ServedProcess(folder, ['hooks.ts', '--dev'])
    const { port } = new URL(await first.url())
    const second = new ServedProcess(folder, ['hooks.ts', '--dev', '--port', port])
    expect(await second.ended).toBe(1)
    expect(second.output).toContain(
      `127.0.0.1 port ${port} is used by another program: choose another port with --port`,
    )
    expect(second.output).not.toContain('The server has ended')
  })

  test('ends at a signal while no server runs', async () => {
    const served = new ServedProcess(project({ 'hooks.ts': 'export default (' }), ['hooks.ts', '--dev'])
    await expect.poll(() => served.output).toContain('The server has ended with the exit code 1.')
    served.child.kill('SIGINT')
    expect(await served.ended).toBe(0)
  })
})
