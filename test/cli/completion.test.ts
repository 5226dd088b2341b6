import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command, Option } from 'commander'
import * as v from 'valibot'
import { beforeAll, describe, expect, test } from 'vitest'
import { completionsOf } from '../../src/cli/completion.ts'
import { createProgram } from '../../src/cli/program.ts'
import { samples } from '../../src/samples/index.ts'
import { type Setting, wordsOf } from '../../src/server/config/setting.ts'
import { settings } from '../../src/server/config/settings.ts'
import { project } from '../server/service.ts'
import { hasTerminals, helpOf, hookserver } from './command.ts'
import { hasShell, offersInFish, type Position, repliesInBash, typedIn } from './shells.ts'

const shells = ['bash', 'zsh', 'fish'] as const
let scripts: Record<(typeof shells)[number], string>

beforeAll(async () => {
  const printed = await Promise.all(shells.map((shell) => hookserver(['completion', shell])))
  for (const { code, stderr } of printed) expect([code, stderr]).toEqual([0, ''])
  const [bash = '', zsh = '', fish = ''] = printed.map(({ stdout }) => stdout)
  scripts = { bash, zsh, fish }
})

/** The candidates at the end of a line, sorted. */
function offered(line: string, program: Command = createProgram()): string[] {
  const values = completionsOf(program, line).names.map((name) => name.split('\t')[0] ?? '')
  return [...new Set(values)].toSorted()
}

/** The name of every command, such as `hookserver webhooks check`, with the flags and commands that its `--help` lists. */
function everyHelp(path: readonly string[] = []): [path: string, flags: string[], commands: string[]][] {
  const help = helpOf(path)
  const [, list = ''] = help.split('\nCommands:\n')
  const [, options = ''] = help.split('\nOptions:\n')
  const names = (section: string, name: RegExp) =>
    [...(section.split('\n\n')[0] ?? '').matchAll(name)].map(([, one = '']) => one)
  const commands = names(list, /^ {2}(\w+) /gm)
  const flags = names(options, /^ {2}(?:-\w, )?(--[\w-]+)/gm)
  const below = commands.filter((one) => one !== 'help').flatMap((one) => everyHelp([...path, one]))
  return [[['hookserver', ...path].join(' '), flags, commands], ...below]
}

test('completes every command and every flag that --help lists', () => {
  const commands = everyHelp()
  expect(commands.length).toBeGreaterThan(12)
  for (const [path, flags, subcommands] of commands) {
    expect(flags).toContain('--help')
    expect({ [path]: offered(`${path} --`) }).toEqual({ [path]: flags.toSorted() })
    if (subcommands.length > 0) expect(offered(`${path} `)).toEqual(subcommands.toSorted())
  }
})

test('completes every setting that is a choice with all its values', () => {
  const all: [string, Setting][] = Object.entries(settings).map(([name, setting]) => [name, setting as Setting])
  const choices = all.filter(([, setting]) => wordsOf(setting))
  expect(choices.map(([name]) => name)).toEqual(expect.arrayContaining(['role', 'validateIp', 'logLevel', 'dev']))
  for (const [name, setting] of choices) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    expect(offered(`hookserver serve ${flag} `)).toEqual(wordsOf(setting)?.toSorted())
    for (const word of wordsOf(setting) ?? []) expect(v.is(setting.schema, word)).toBe(true)
  }
})

const states = ['dead', 'discarded', 'done', 'ignored', 'pending', 'retrying', 'running']

test.each<[string, string[]]>([
  ['hookserver s', ['schedules', 'send', 'serve']],
  ['hookserver   se', ['send', 'serve']],
  ['hookserver rec', ['recover']],
  ['hookserver recover --mode ', ['pull', 'redeliver']],
  ['hookserver recover acme/shop --dr', ['--dry-run']],
  ['hookserver srve ', []],
  ['hookserver srve --', ['--help', '--version']],
  ['hookserver deliveries s', ['show']],
  ['hookserver failures ', ['discard', 'help', 'list', 'retry', 'show']],
  ['hookserver failures list --ha', ['--handler']],
  ['hookserver deliveries help re', ['retry']],
  ['hookserver help d', ['deliveries', 'doctor']],
  ['hookserver completion ', ['bash', 'fish', 'zsh']],
  [
    'hookserver serve --ad',
    [
      ...['--admin-github-operators', '--admin-github-viewers'],
      ...['--admin-host', '--admin-port', '--admin-token', '--admin-token-file', '--admin-url'],
    ],
  ],
  ['hookserver serve -', expect.arrayContaining(['-h', '--help', '--port'])],
  ['hookserver serve --port ', []],
  ['hookserver serve --port --ro', []], // `--ro` is the value of --port
  ['hookserver serve --port 1 --ro', ['--role']],
  ['hookserver serve --dev ', ['false', 'true']],
  ['hookserver serve --dev --ro', ['--role']],
  ['hookserver serve --dev true --ro', ['--role']],
  ['hookserver serve --validate-ip ', ['false', 'true', 'warn']],
  ['hookserver serve --role ', ['all', 'receiver', 'worker']],
  ['hookserver serve --role w', ['worker']],
  ['hookserver serve --role=', ['--role=all', '--role=receiver', '--role=worker']],
  ['hookserver serve --role=w', ['--role=worker']],
  ['hookserver serve --role=x', []],
  ['hookserver serve --unknown=', []],
  ['hookserver serve --unknown --ro', ['--role']],
  ['hookserver serve -- --ro', []],
  ['hookserver deliveries list --state ', states],
  ['hookserver deliveries retry 1 2 --state=d', ['--state=dead', '--state=discarded', '--state=done']],
  ['hookserver deliveries discard --event issues.o', ['issues.opened']],
  ['hookserver send issues.op', ['issues.opened']],
  ['hookserver send "issues.op', ['issues.opened']],
  ['hookserver send push ', []],
  ['hookserver send push --ta', ['--tamper']],
  ['hookserver send --to http://127.0.0.1:8000/hooks?a=b issues.op', ['issues.opened']],
  ['hookserver send --to=http://127.0.0.1:8000/hooks issues.op', ['issues.opened']],
  ['hookserver send --file a\\ b --to "c d" issues.op', ['issues.opened']],
  ['hookserver send --file serve --un', ['--unsigned']], // `serve` is a file here, and no command
  ['hookserver handlers pause hook:is', []],
  ['hookserver handlers pause hook:issues --data', ['--database', '--database-schema', '--database-url-file']],
])('%j: %j', (line, expected) => {
  expect(offered(line)).toEqual(expected)
})

test('completes every event that has a sample, with each of its actions, and all', () => {
  const names = samples().flatMap(({ event, action }) => [event, ...(action ? [`${event}.${action}`] : [])])
  expect(offered('hookserver send ')).toEqual([...new Set(['all', ...names])].toSorted())
})

describe('bash', () => {
  const replies = (before: string, position: Position = {}) => repliesInBash(scripts.bash, before, position)

  test.each<[string, string[], Position?]>([
    ['hookserver s', ['schedules', 'send', 'serve'], { after: ' --role all' }],
    ['hookserver se', ['send', 'serve'], { after: 'nd' }],
    ['hookserver serve --role=', ['all', 'receiver', 'worker']],
    ['hookserver serve --role=w', ['worker']],
    ['hookserver serve --role=w', ['--role=worker'], { breaks: '' }],
    ['hookserver srve ', []],
  ])('replaces what readline takes for a word: %j: %j', async (before, expected, position) => {
    expect(await replies(before, position)).toEqual(expected)
  })

  test('offers files, and modules where a module is meant', async () => {
    const cwd = project({
      'hooks.ts': '',
      'hooks.mjs': '',
      'hooks.js': '',
      'hooks.json': '',
      'a b.ts': '',
      'a=b:c.ts': '',
    })
    mkdirSync(join(cwd, 'folder'))
    writeFileSync(join(cwd, 'folder', 'token'), '')
    const all = ['a b.ts', 'a=b:c.ts', 'folder', 'hooks.js', 'hooks.json', 'hooks.mjs', 'hooks.ts']
    const modules = all.filter((name) => name !== 'hooks.json')
    expect(await replies('hookserver serve ', { cwd })).toEqual(modules)
    expect(await replies('hookserver doctor --role all h', { cwd })).toEqual(['hooks.js', 'hooks.mjs', 'hooks.ts'])
    expect(await replies('hookserver serve hooks.ts ', { cwd })).toEqual([])
    for (const before of ['--', '--dev true', '--dev --role all', '--database hooks.db --insecure=true']) {
      expect(await replies(`hookserver serve ${before} `, { cwd })).toEqual(modules)
    }
    for (const flag of [
      'serve --database',
      'serve --secret-file',
      'handlers pause --admin-token-file',
      'send --file',
    ]) {
      expect(await replies(`hookserver ${flag} `, { cwd })).toEqual(all)
      expect(await replies(`hookserver ${flag}=folder/`, { cwd })).toEqual(['folder/token'])
    }
    expect(await replies('hookserver send --file=folder/', { cwd, breaks: '' })).toEqual(['--file=folder/token'])
    expect(await replies('hookserver send --file=a=b:', { cwd })).toEqual(['c.ts'])
  })

  test('does not evaluate any part of the line', async () => {
    const cwd = project()
    expect(await replies('hookserver serve --role $(touch evil) --role ', { cwd })).toEqual([
      'all',
      'receiver',
      'worker',
    ])
    expect(await replies('hookserver send `touch evil` "$(touch evil)', { cwd })).toEqual([])
    expect(readdirSync(cwd)).toEqual([])
  })
})

const typed: readonly [string, string[]][] = [
  ['ser\ths\t', ['serve', 'hs.ts']],
  ['serve --role=w\t--log-l\tsi\t', ['serve', '--role=worker', '--log-level', 'silent']],
  [
    'send --file=my\t --to http://127.0.0.1:8000/ issues.op\t',
    ['send', '--file=my file.json', '--to', 'http://127.0.0.1:8000/', 'issues.opened'],
  ],
  ['send --file a@b\t', ['send', '--file', 'a@b.json']],
  ['send --file "my\t\t', ['send', '--file', 'my file.json']],
  ['send --file fold\tk\t', ['send', '--file', 'folder/key']],
  ['deliveries list --sta\tdea\t', ['deliveries', 'list', '--state', 'dead']],
]

describe.each(['bash', 'zsh'] as const)('on a terminal with %s', (shell) => {
  test.runIf(hasTerminals && hasShell(shell)).each(typed)('%j becomes %j', async (keys, words) => {
    const cwd = project({ 'hs.ts': '', 'my file.json': '{}', 'a@b.json': '{}' })
    mkdirSync(join(cwd, 'folder'))
    writeFileSync(join(cwd, 'folder', 'key'), '')
    expect(await typedIn(shell, keys, cwd)).toEqual(words)
  })
})

test.runIf(hasShell('fish'))('fish shows candidates with their descriptions, and files', async () => {
  const cwd = project({ 'hs.ts': '', 'my file.json': '{}' })
  const offers = (line: string) => offersInFish(scripts.fish, line, cwd)
  expect(await offers('hookserver comp')).toEqual(['completion\tPrint a shell completion script'])
  expect(await offers('hookserver serve --role=w')).toEqual(['--role=worker'])
  expect(await offers('hookserver serve h')).toEqual(['hs.ts'])
  expect(await offers('hookserver send --file my')).toEqual(['my file.json'])
  expect(await offers('hookserver send $(touch evil) --unsi')).toEqual([expect.stringMatching(/^--unsigned\t/)])
})

test('does not change text with shell syntax', () => {
  const text = `it's "q" $HOME \`touch evil\` $(touch evil) [a] a:b \\ \\n %F{red} ; & | * ~ # <x>`
  const words = ["it's", 'a:b', '$HOME', '$(touch', '`touch', 'b[c]', '*']
  const program = new Command('demo').description(text)
  program
    .command('run')
    .summary(text)
    .addArgument(new Argument('<first>').choices(words))
    .addArgument(new Argument('[rest...]').choices(['more']))
    .addOption(new Option('--a <v:x>', text).choices(words))
    .option('--b [boolean]', text)
  expect(offered('demo run ', program)).toEqual(words.toSorted())
  expect(offered('demo run --a ', program)).toEqual(words.toSorted())
  expect(offered('demo run $(touch evil) ', program)).toEqual(['more'])
  expect(offered('demo run a b c ', program)).toEqual(['more'])
  expect(offered('demo run --b `touch evil` --a ', program)).toEqual(words.toSorted())
  expect(completionsOf(program, 'demo r').names).toEqual([`run\t${text}`])
  expect(completionsOf(program, 'demo run --a').names).toEqual([`--a\t${text}`])
})

test('rejects an unknown shell', async () => {
  const { code, stderr } = await hookserver(['completion', 'tcsh'])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('There is no completion for tcsh: choose bash, zsh or fish'),
  ])
})
