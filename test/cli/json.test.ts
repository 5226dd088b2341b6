/** Commands that change something print one JSON document with `--json`, and nothing else on stdout. */
import type { Command } from 'commander'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { updateSchedules } from '../../src/schedules/stored-schedules.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { inboxFile, storeIn } from '../inbox/stores.ts'
import { handle } from '../server/api/handled.ts'
import { project } from '../server/service.ts'
import { botModule, follow, install, register, startCreate, startServer } from './app/create-scene.ts'
import { hookserver } from './command.ts'
import { WebhooksScene } from './webhooks/webhooks-scene.ts'

/** Commands that change nothing, print another format, or run until they are stopped. */
const others = [
  ...[
    'serve',
    'probot run',
    'probot receive',
    'completion',
    'doctor',
    'ranges',
    'audit',
    'github',
    'processes',
    'deliveries list',
    'deliveries show',
    'deliveries export',
  ],
  ...[
    'failures list',
    'failures show',
    'handlers list',
    'schedules list',
    'webhooks list',
    'webhooks check',
    'app status',
    'app diff',
  ],
]

/** The calls of each command, and a part of what each call prints. */
const calls: Record<string, () => Promise<[stdout: string, expected: object][]>> = {
  async init() {
    const cwd = project()
    const run = async (...args: string[]) =>
      (await hookserver(['init', 'bot', '--yes', '--json', ...args], {}, { cwd })).stdout
    const files = expect.arrayContaining([{ path: 'hooks.test.ts', step: 'create' }])
    return [
      [await run('--dry-run'), { template: 'bot', dryRun: true, files }],
      [await run(), { template: 'bot', dryRun: false, files }],
    ]
  },
  async send() {
    const args = ['send', 'push', '--unsigned', '--to', 'http://127.0.0.1:1/hooks', '--json']
    return [[(await hookserver(args)).stdout, { guid: expect.any(String) }]]
  },
  'deliveries retry': () => onDeliveries('retry'),
  'deliveries discard': () => onDeliveries('discard'),
  async 'deliveries import'() {
    const { file, run } = await scene()
    const { stdout: input } = await run('deliveries', 'export')
    const args = ['deliveries', 'import', '-', '--json', '--database']
    const into = async (database: string) => (await hookserver([...args, database], {}, { input })).stdout
    return [
      [await into(inboxFile()), { imported: 1, skipped: 0 }],
      [await into(file), { imported: 0, skipped: 1 }],
    ]
  },
  'failures retry': () => onFailures('retry'),
  'failures discard': () => onFailures('discard'),
  async 'schedules run'() {
    const { run } = await scheduled()
    const guid = expect.stringContaining('schedule:stale:')
    return [[(await run('schedules', 'run', 'stale', '--json')).stdout, { id: 2, guid }]]
  },
  async 'schedules pause'() {
    const { run } = await scheduled()
    const expected = { action: 'pause', schedule: 'stale', changed: true, paused: ['stale'] }
    return [[(await run('schedules', 'pause', 'stale', '--json')).stdout, expected]]
  },
  async 'schedules resume'() {
    const { run } = await scheduled()
    const expected = { action: 'resume', schedule: 'stale', changed: false, paused: [] }
    return [[(await run('schedules', 'resume', 'stale', '--json')).stdout, expected]]
  },
  async 'handlers pause'() {
    const { run } = await scene()
    return [
      [
        (await run('handlers', 'pause', 'deploy', '--json')).stdout,
        { handler: 'deploy', changed: true, paused: ['deploy'] },
      ],
      [(await run('handlers', 'pause', 'deploy', '--json')).stdout, { action: 'pause', changed: false }],
    ]
  },
  async 'handlers resume'() {
    const { run } = await scene()
    const { stdout } = await run('handlers', 'resume', '--all', '--json')
    return [[stdout, { action: 'resume', handler: '*', changed: false, paused: [] }]]
  },
  async migrate() {
    const args = ['migrate', '--json', '--database', inboxFile()]
    return [
      [(await hookserver(args)).stdout, { result: 'created' }],
      [(await hookserver(args)).stdout, { result: 'up to date' }],
    ]
  },
  async recover() {
    const { url, github, addHook } = await webhooks()
    const { file } = await scene()
    const hook = addHook()
    const args = [
      'recover',
      `acme/shop#${hook.id}`,
      '--api-url',
      github.url,
      '--database',
      file,
      '--json',
      '--public-url',
      url,
    ]
    const { stdout } = await hookserver(args, { HOOKSERVER_GITHUB_TOKEN: webhooksToken })
    return [[stdout, { reports: [{ target: 'acme/shop' }], missedDeliveries: [] }]]
  },
  async 'webhooks ensure'() {
    const { runHere } = await webhooks()
    const args = ['ensure', 'acme/shop', '--events', 'push', '--json']
    return [
      [(await runHere(...args, '--dry-run')).stdout, { action: 'create', applied: false }],
      [(await runHere(...args, '--yes')).stdout, { action: 'create', applied: true }],
    ]
  },
  async 'webhooks rotate'() {
    const { runHere, addHook } = await webhooks()
    const hook = addHook()
    const args = ['rotate', `acme/shop#${hook.id}`, '--json']
    return [[(await runHere(...args, '--dry-run')).stdout, { rotation: 'start', applied: false }]]
  },
  async 'webhooks delete'() {
    const { run, addHook } = await webhooks()
    const hook = addHook()
    const args = ['delete', `acme/shop#${hook.id}`, '--json']
    return [
      [(await run([...args, '--dry-run'])).stdout, { deleted: false }],
      [(await run([...args, '--yes'])).stdout, { webhook: `acme/shop#${hook.id}`, deleted: true }],
    ]
  },
  async 'app import'() {
    const github = await startServer()
    const app = github.addApp({
      id: 7,
      slug: 'hello-bot',
      permissions: { metadata: 'read' },
      events: [],
      installations: [],
    })
    const cwd = project({ 'bot.pem': app.privateKey, secret: 'a secret that is long enough\n' })
    const args = ['app', 'import', '--id', '7', '--private-key', 'bot.pem', '--github', github.webUrl, '--json']
    const run = async (...more: string[]) => (await hookserver([...args, ...more], {}, { cwd })).stdout
    return [
      [await run('--dry-run'), { app: { id: '7' }, output: '.env', written: false }],
      [await run('--secret-file', 'secret'), { app: { id: '7' }, output: '.env', written: true }],
    ]
  },
  async 'app create'() {
    const github = await startServer()
    const cwd = project({ 'hooks.mjs': botModule })
    const dryRun = await hookserver(['app', 'create', '--dry-run', '--json'], {}, { cwd })
    const command = startCreate(github, ['--no-serve', '--json'])
    const next = await follow(await register(github, await command.address()))
    await command.printed(/Waiting for the installation/)
    await install(next.headers.get('location') ?? '')
    await command.result()
    const installation = { account: 'octocat', coversAll: true }
    return [
      [dryRun.stdout, { default_events: ['issues'] }],
      [command.stdout, { app: { id: String(github.apps[0]?.id) }, output: '.env', installation }],
    ]
  },
}

const webhooksToken = 'github_pat_that_must_stay_secret'

async function webhooks() {
  const scene = await WebhooksScene.open()
  const { url, github } = scene
  return {
    url,
    github,
    run: scene.run.bind(scene),
    runHere: scene.runHere.bind(scene),
    addHook: scene.addHook.bind(scene),
  }
}

/** A database with one delivery. */
async function scene() {
  const file = inboxFile()
  const inbox = sqlite(file)
  onTestFinished(() => inbox.close())
  const id = await storeIn(inbox, {})
  return { file, inbox, id, run: (...args: string[]) => hookserver([...args, '--database', file]) }
}

/** A database with one delivery and one schedule. */
async function scheduled() {
  const opened = await scene()
  const stale = { time: '0 3 * * *', missed: 'latest', handledUntil: 0 } as const
  await updateSchedules(opened.inbox, (schedules) => void schedules.set('stale', stale))
  return opened
}

async function onDeliveries(action: 'retry' | 'discard'): Promise<[string, object][]> {
  const { inbox, id, run } = await scene()
  if (action === 'retry') await inbox.discard({ ids: [id] }, 'not needed')
  const print = async (...args: string[]) => (await run('deliveries', action, '--json', ...args)).stdout
  return [
    [await print('--query', 'push', '--dry-run'), { action, selected: 1, changed: 0, dryRun: true }],
    [await print('--query', 'nothing', '--yes'), { action, selected: 0, changed: 0 }],
    [await print(String(id), '99'), { action, selected: 2, changed: 1, dryRun: false }],
  ]
}

async function onFailures(action: 'retry' | 'discard'): Promise<[string, object][]> {
  const { inbox, id, run } = await scene()
  await handle(inbox, id, { outcome: 'dead' })
  const [group] = (await inbox.failureGroups({}, Date.now())).groups
  const print = async (...args: string[]) =>
    (await run('failures', action, String(group?.id), '--json', ...args)).stdout
  return [
    [await print('--dry-run'), { action, id: group?.id, selected: 1, changed: 0, dryRun: true }],
    [await print('--yes'), { action, id: group?.id, selected: 1, changed: 1, dryRun: false }],
  ]
}

function commandsOf(command: Command, path: string[] = []): [name: string, command: Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]]
  return command.commands.flatMap((child) => commandsOf(child, [...path, child.name()]))
}

describe('--json', () => {
  test('is a flag of every command that changes something', () => {
    const commands = commandsOf(createProgram()).filter(([name]) => !others.includes(name))
    expect(commands.map(([name]) => name).toSorted()).toEqual(Object.keys(calls).toSorted())
    for (const [name, { options }] of commands)
      expect([name, options.map(({ long }) => long)]).toEqual([name, expect.arrayContaining(['--json'])])
  })

  test.each(Object.entries(calls))('of %s prints one JSON document, and nothing else on stdout', async (_, outputs) => {
    for (const [stdout, expected] of await outputs()) {
      expect(stdout).toMatch(/^\{.*\}\n$/)
      expect(JSON.parse(stdout)).toMatchObject(expected)
    }
  })
})
