/** Runs the commands of the recipes that operate an inbox, as they are written. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { hookserver } from '../cli/command.ts'
import { push } from '../cli/inbox-scene.ts'
import { secret, WebhooksScene } from '../cli/webhooks/webhooks-scene.ts'
import { token as githubToken, Scene } from '../github/recovery-scene.ts'
import { storeIn } from '../inbox/stores.ts'
import { project, ServedProcess } from '../server/service.ts'
import { commandsIn } from './documented-commands.ts'

/** The commands of a recipe that begin with these words. */
function commandsOf(recipe: string, ...start: string[]): string[][] {
  const page = readFileSync(join(import.meta.dirname, `../../docs/cookbook/${recipe}.md`), 'utf8')
  return commandsIn(page).filter((command) => start.every((word, index) => command[index] === word))
}

/** A folder with an inbox in this file, whose pushes `deploy` and `notify` have handled. */
async function handledInbox(name: string, repositories: readonly string[]) {
  const folder = project()
  const inbox = sqlite(join(folder, name))
  for (const repository of repositories) await storeIn(inbox, push(repository), { event: 'push' })
  const hooks = new Hooks({ inbox, logger: false })
  hooks.on('push', { name: 'deploy' }, () => 'deployed')
  hooks.on('push', { name: 'notify' }, () => 'notified')
  await hooks.drain()
  await hooks.close()
  const reopened = sqlite(join(folder, name))
  onTestFinished(() => reopened.close())
  return { folder, inbox: reopened }
}

test('replay runs a handler again for the deliveries of a repository, and nothing else', async () => {
  const { folder, inbox } = await handledInbox('hookserver.db', ['acme/shop', 'acme/till', 'acme/shop'])
  const run = async (command: readonly string[]) => {
    const { code, stdout, stderr } = await hookserver(command, {}, { cwd: folder })
    expect(code, stderr).toBe(0)
    return stdout
  }
  const [list = []] = commandsOf('replay', 'deliveries', 'list')
  expect((await run(list)).match(/^ *\d+ .*acme\/shop/gm)).toHaveLength(2)
  expect(await run(list)).not.toContain('acme/till')
  const [count = [], one = [], all = []] = commandsOf('replay', 'deliveries', 'retry')
  expect(await run(count)).toMatch(/\b2 deliveries/)
  expect((await inbox.overview()).states).toMatchObject({ done: 3 })
  await run(one.map((word) => (word === '42' ? '1' : word)))
  expect((await inbox.get(1))?.state).toBe('pending')
  await run(all)
  const tasks = (await inbox.get(1))?.tasks.map(({ handler, state }) => [handler, state])
  expect(tasks?.toSorted()).toEqual([
    ['deploy', 'pending'],
    ['notify', 'done'],
  ])
  const { deliveries } = await inbox.list({})
  expect(deliveries.map(({ id, state }) => [id, state])).toEqual([
    [3, 'pending'],
    [2, 'done'],
    [1, 'pending'],
  ])
})

test('rotate-secret starts with the secret that GitHub signs with', () => {
  const folder = project({ '.env': 'GITHUB_WEBHOOKS_KEY=the-secret-on-github\n' })
  const page = readFileSync(join(import.meta.dirname, '../../docs/cookbook/rotate-secret.md'), 'utf8')
  const [command = ''] = /^.* > webhook-secrets\)?$/m.exec(page) ?? []
  execFileSync('sh', ['-c', command], { cwd: folder, env: { PATH: process.env.PATH } })
  expect(readFileSync(join(folder, 'webhook-secrets'), 'utf8')).toBe('the-secret-on-github\n')
})

test('rotate-secret changes nothing at first, then sets a new secret, and then drops the old one', async () => {
  const scene = await WebhooksScene.open()
  const hook = scene.addHook()
  const words: Record<string, string> = { 'acme/shop#7': `acme/shop#${hook.id}`, 'webhook-secrets': scene.secretFile }
  const [dryRun = [], rotate = [], drop = []] = commandsOf('rotate-secret', 'webhooks', 'rotate')
  const run = async ([, ...command]: readonly string[]) => {
    const { code, stderr } = await scene.run([...command.map((word) => words[word] ?? word), '--yes'])
    expect(code, stderr).toBe(0)
    return scene.secrets
  }
  expect([await run(dryRun), hook.secret, scene.writes]).toEqual([[secret], secret, []])
  const [added = '', ...old] = await run(rotate)
  expect([old, hook.secret]).toEqual([[secret], added])
  expect(await run(drop)).toEqual([added])
})

test('catch-up lists the missed deliveries, and then requests them', async () => {
  const scene = await Scene.open()
  await scene.stopListening()
  const [{ guid } = { guid: '' }] = await scene.github.deliver('push')
  await scene.startListening()
  const [dryRun = [], recover = []] = commandsOf('catch-up', 'recover')
  const run = async (command: readonly string[]) => {
    const words = command.map((word) => (word === 'acme/shop#7' ? `acme/shop#${scene.hook.id}` : word))
    const flags = ['--api-url', scene.github.url, '--database', scene.file, '--pace', '1ms']
    const { code, stdout, stderr } = await hookserver([...words, ...flags], { HOOKSERVER_GITHUB_TOKEN: githubToken })
    expect(code, stderr).toBe(0)
    return stdout
  }
  expect(await run(dryRun)).toContain(guid)
  expect((await scene.inbox.list({})).deliveries).toEqual([])
  await run(recover)
  expect((await scene.inbox.list({})).deliveries).toMatchObject([{ guid }])
})

/** A module that appends the GUID of each handled delivery to a file in its folder. */
const appending = `
  import { appendFileSync } from 'node:fs'
  import { Hooks } from 'hookserver'
  const hooks = new Hooks()
  hooks.on(['push', 'issues'], { name: 'append' }, (delivery) => appendFileSync('handled.txt', delivery.guid + '\\n'))
  export default hooks`

const handledIn = (folder: string): string[] => {
  const file = join(folder, 'handled.txt')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

async function startGitHub(): Promise<LocalGitHub> {
  const github = await LocalGitHub.start({ token: githubToken })
  onTestFinished(() => github.close())
  return github
}

test('from-smee reads the deliveries that reach no server from the log, and then shows one and retries it', async () => {
  const github = await startGitHub()
  const hook = github.addHook({ repository: 'acme/shop', url: 'http://127.0.0.1:9/' })
  const [{ guid } = { guid: '' }] = github.record(hook, [{ event: 'push', deliveredAt: Date.now() - 60_000 }])
  const folder = project({ 'hooks.ts': appending })
  const [[, ...args] = []] = commandsOf('from-smee', 'serve', 'hooks.ts', '--pull')
  const local = ['--api-url', github.url, '--pull-every', '20ms']
  const served = new ServedProcess(folder, [...args, ...local], { HOOKSERVER_GITHUB_TOKEN: githubToken })
  await served.line('Pulling deliveries')
  const [{ guid: second } = { guid: '' }] = await github.deliver('push')
  await expect.poll(() => handledIn(folder)).toContain(second)
  expect(handledIn(folder)).not.toContain(guid) // older than the inbox
  const page = readFileSync(join(import.meta.dirname, '../../docs/cookbook/from-smee.md'), 'utf8')
  const run = async (start: string) => {
    const [, command = ''] = new RegExp(`npx hookserver (${start} [^\`]+)`).exec(page) ?? []
    const { code, stdout, stderr } = await hookserver(command.replace('42', '1').split(' '), {}, { cwd: folder })
    expect(code, stderr).toBe(0)
    return stdout
  }
  expect(JSON.parse(await run('deliveries show'))).toMatchObject({ repository: {} })
  await run('deliveries retry')
  await expect.poll(() => handledIn(folder)).toEqual([second, second])
})

test('from-smee accepts the deliveries that a client of smee writes again', async () => {
  const github = await startGitHub()
  const folder = project({ 'hooks.ts': appending, 'webhook-secrets': `${secret}\n` })
  const [[, ...args] = []] = commandsOf('from-smee', 'serve', 'hooks.ts', '--dev', '--secret-file')
  const target = await new ServedProcess(folder, args).url()
  const client = createServer(async ({ headers }, response) => {
    const names = ['content-type', 'x-github-event', 'x-github-delivery', 'x-hub-signature-256']
    const forwarded = names.map((name): [string, string] => [name, String(headers[name])])
    const body = JSON.stringify(JSON.parse(await text(response.req)))
    response.writeHead((await fetch(target, { method: 'POST', headers: forwarded, body })).status).end()
  })
  onTestFinished(() => stop(client))
  github.addHook({ repository: 'acme/shop', url: await listen(client), secret })
  const [delivery] = await github.deliver('issues.opened')
  expect(delivery).toMatchObject({ statusCode: 202 })
  await expect.poll(() => handledIn(folder)).toEqual([delivery?.guid])
})

test('terraform: the command that tries the recipe accepts a webhook with the values of webhook.tf, without Terraform', async () => {
  const scene = await WebhooksScene.open()
  const file = readFileSync(join(import.meta.dirname, '../../examples/cookbook/webhook.tf'), 'utf8')
  const valueIn = (name: string) => JSON.parse(new RegExp(`^ *${name} += (.*)$`, 'm').exec(file)?.[1] ?? 'null')
  expect(valueIn('insecure_ssl')).toBe(false) // as the webhook of the local GitHub
  scene.addHook({ events: valueIn('events'), contentType: valueIn('content_type') })
  const module = join(project({ 'hooks.ts': appending }), 'hooks.ts')
  const words: Record<string, string> = { [valueIn('url')]: scene.url, 'hooks.ts': module }
  const [[, ...command] = []] = commandsOf('terraform', 'webhooks', 'check')
  const { code, stdout } = await scene.run(
    command.map((word) => words[word] ?? word),
    { GITHUB_WEBHOOKS_KEY: secret },
  )
  expect(stdout).toMatch(/^✓ secret .*\n✓ receiver/m)
  expect(code, stdout).toBe(0)
})

test('move-machine starts the server with each file that it copies', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/cookbook/move-machine.md'), 'utf8')
  const copied = /^scp (?:-\S+ )*(.*) new-machine:/m.exec(page)?.[1]?.split(' ') ?? []
  const commands = [commandsOf('move-machine', 'doctor'), commandsOf('move-machine', 'serve', 'hooks.ts', '--database')]
  for (const [command = []] of commands) {
    for (const file of copied) expect(command).toContain(basename(file))
  }
})

test('move-machine copies the finished deliveries, and then the others', async () => {
  const { folder, inbox } = await handledInbox('old.db', ['acme/shop'])
  const [exports, imports] = [
    commandsOf('move-machine', 'deliveries', 'export'),
    commandsOf('move-machine', 'deliveries', 'import'),
  ]
  const copy = async (index: number) => {
    const { stdout: input } = await hookserver(exports[index] ?? [], {}, { cwd: folder })
    return hookserver(imports[index] ?? [], {}, { cwd: folder, input })
  }
  await storeIn(inbox, push('acme/till'), { event: 'push' })
  expect(await copy(0)).toMatchObject({ code: 0, stdout: 'Imported 1 delivery.\n' })
  expect(await copy(1)).toMatchObject({
    code: 0,
    stdout: 'Imported 1 delivery. Skipped 1 delivery that already existed.\n',
  })
  const moved = sqlite(join(folder, 'new.db'))
  onTestFinished(() => moved.close())
  expect((await moved.overview()).states).toMatchObject({ done: 1, pending: 1 })
})
