import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { beforeAll, describe, expect, test } from 'vitest'
import { bashScript } from '../../src/cli/completion/bash.ts'
import { describe as describeProgram } from '../../src/cli/completion/describe.ts'
import { fishScript } from '../../src/cli/completion/fish.ts'
import { zshScript } from '../../src/cli/completion/zsh.ts'
import { samples } from '../../src/samples/index.ts'
import { settings } from '../../src/server/settings.ts'
import { project } from '../server/service.ts'
import { hasTerminals, hookserver } from './command.ts'
import { completionsInBash, type Position, toldToFish, toldToZsh, typedInBash } from './shells.ts'

const shells = ['bash', 'zsh', 'fish'] as const
let scripts: Record<(typeof shells)[number], string>

beforeAll(async () => {
  const printed = await Promise.all(shells.map((shell) => hookserver(['completion', shell])))
  for (const { code, stderr } of printed) expect([code, stderr]).toEqual([0, ''])
  const [bash = '', zsh = '', fish = ''] = printed.map(({ stdout }) => stdout)
  scripts = { bash, zsh, fish }
})

/** Every command by its words, with the flags and commands that its `--help` lists. */
async function everyHelp(path: readonly string[] = []): Promise<[path: string, flags: string[], commands: string[]][]> {
  const { stdout } = await hookserver([...path, '--help'])
  const [, list = ''] = stdout.split('\nCommands:\n')
  const [, options = ''] = stdout.split('\nOptions:\n')
  const names = (section: string, name: RegExp) =>
    [...(section.split('\n\n')[0] ?? '').matchAll(name)].map(([, one = '']) => one)
  const commands = names(list, /^ {2}(\w+) /gm)
  const flags = names(options, /^ {2}(?:-\w, )?(--[\w-]+)/gm)
  const below = await Promise.all(commands.filter((one) => one !== 'help').map((one) => everyHelp([...path, one])))
  return [[['hookserver', ...path].join(' '), flags, commands], ...below.flat()]
}

test('every command and every flag that --help lists is completed, in every shell', async () => {
  const commands = await everyHelp()
  expect(commands.length).toBeGreaterThan(12)
  for (const [path, flags, subcommands] of commands) {
    expect(flags).toContain('--help')
    expect(completionsInBash(scripts.bash, `${path} --`)).toEqual(flags.toSorted())
    const zsh = toldToZsh(scripts.zsh, path)
    expect({ [path]: matched(zsh, /^\*(--[\w-]+)/) }).toEqual({ [path]: flags })
    const fish = toldToFish(scripts.fish, path).map((words) => words.join(' '))
    expect({ [path]: matched(fish, /^(?:-s \w )?-l ([\w-]+) /).map((flag) => `--${flag}`) }).toEqual({ [path]: flags })
    if (subcommands.length === 0) continue
    expect(completionsInBash(scripts.bash, `${path} `)).toEqual(subcommands.toSorted())
    expect(matched(zsh, /^([a-z]+):/)).toEqual(subcommands)
    expect(matched(fish, /^-a (\w+) -d /)).toEqual(subcommands)
  }
})

const matched = (texts: readonly string[], pattern: RegExp): string[] =>
  texts.flatMap((one) => pattern.exec(one)?.[1] ?? [])

test('every setting that is a choice is completed with all that it can be', () => {
  const choices = Object.entries(settings).filter(([, { parse }]) => parse.words)
  expect(choices.map(([name]) => name)).toEqual(expect.arrayContaining(['role', 'validateIp', 'logLevel', 'dev']))
  for (const [name, { parse }] of choices) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    expect(completionsInBash(scripts.bash, `hookserver serve ${flag} `)).toEqual(parse.words?.toSorted())
    for (const word of parse.words ?? []) expect(() => parse(word)).not.toThrow()
  }
})

describe('bash', () => {
  const offered = (before: string, position?: Position) => completionsInBash(scripts.bash, before, position)
  const states = ['dead', 'discarded', 'done', 'ignored', 'pending', 'retrying', 'running']

  test.each<[string, string[], Position?]>([
    ['hookserver s', ['send', 'serve']],
    ['hookserver   se', ['send', 'serve']],
    ['hookserver s', ['send', 'serve'], { after: ' --role all' }],
    ['hookserver se', ['send', 'serve'], { after: 'nd' }],
    ['hookserver rec', ['recover']],
    ['hookserver recover --mode ', ['pull', 'redeliver']],
    ['hookserver recover acme/shop --dr', ['--dry-run']],
    ['hookserver srve ', []],
    ['hookserver srve --', ['--help']],
    ['hookserver deliveries s', ['show']],
    ['hookserver deliveries help re', ['retry']],
    ['hookserver help d', ['deliveries', 'doctor']],
    ['hookserver completion ', ['bash', 'fish', 'zsh']],
    ['hookserver serve --ad', ['--admin-host', '--admin-port', '--admin-token', '--admin-token-file', '--admin-url']],
    ['hookserver serve -', expect.arrayContaining(['-h', '--help', '--port'])],
    ['hookserver serve --port ', []],
    ['hookserver serve --port --ro', []], // it is the value of --port
    ['hookserver serve --port 1 --ro', ['--role']],
    ['hookserver serve --dev ', ['false', 'true']],
    ['hookserver serve --dev --ro', ['--role']],
    ['hookserver serve --dev true --ro', ['--role']],
    ['hookserver serve --validate-ip ', ['false', 'true', 'warn']],
    ['hookserver serve --role ', ['all', 'receiver', 'worker']],
    ['hookserver serve --role w', ['worker']],
    ['hookserver serve --role=', ['all', 'receiver', 'worker']],
    ['hookserver serve --role=w', ['worker']],
    ['hookserver serve --role=w', ['--role=worker'], { breaks: '' }],
    ['hookserver serve --role=x', []],
    ['hookserver serve --unknown=', []],
    ['hookserver serve --unknown --ro', ['--role']],
    ['hookserver serve -- --ro', []],
    ['hookserver deliveries list --state ', states],
    ['hookserver deliveries retry 1 2 --state=d', ['dead', 'discarded', 'done']],
    ['hookserver deliveries discard --event issues.o', ['issues.opened']],
    ['hookserver send issues.op', ['issues.opened']],
    ['hookserver send push ', []],
    ['hookserver send push --ta', ['--tamper']],
    ['hookserver send --to http://127.0.0.1:8000/hooks?a=b issues.op', ['issues.opened']],
    ['hookserver send --to=http://127.0.0.1:8000/hooks issues.op', ['issues.opened']],
    ['hookserver send --file serve --un', ['--unsigned']], // no command
    ['hookserver pause hook:is', []],
    ['hookserver pause hook:issues --data', ['--database', '--database-schema', '--database-url-file']],
  ])('%j: %j', (before, expected, position) => {
    expect(offered(before, position)).toEqual(expected)
  })

  test('offers every event that has a sample, with each of its actions, and all', () => {
    const names = samples().flatMap(({ event, action }) => [event, ...(action ? [`${event}.${action}`] : [])])
    expect(offered('hookserver send ')).toEqual([...new Set(['all', ...names])].toSorted())
  })

  test('offers files, and modules where a module is meant', () => {
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
    expect(offered('hookserver serve ', { cwd })).toEqual(modules)
    expect(offered('hookserver doctor --role all h', { cwd })).toEqual(['hooks.js', 'hooks.mjs', 'hooks.ts'])
    expect(offered('hookserver serve hooks.ts ', { cwd })).toEqual([])
    for (const before of ['--', '--dev true', '--dev --role all', '--database hooks.db --insecure=true']) {
      expect(offered(`hookserver serve ${before} `, { cwd })).toEqual(modules)
    }
    for (const flag of ['serve --database', 'serve --secret-file', 'pause --admin-token-file', 'send --file']) {
      expect(offered(`hookserver ${flag} `, { cwd })).toEqual(all)
      expect(offered(`hookserver ${flag}=folder/`, { cwd })).toEqual(['folder/token'])
    }
    expect(offered('hookserver send --file=folder/', { cwd, breaks: '' })).toEqual(['--file=folder/token'])
    expect(offered('hookserver send --file=a=b:', { cwd })).toEqual(['c.ts'])
  })

  test.runIf(hasTerminals).each([
    ['ser\ths\t', ['serve', 'hs.ts']],
    ['serve --role=w\t--log-l\tsi\t', ['serve', '--role=worker', '--log-level', 'silent']],
    [
      'send --file=my\t --to http://127.0.0.1:8000/ issues.op\t',
      ['send', '--file=my file.json', '--to', 'http://127.0.0.1:8000/', 'issues.opened'],
    ],
    ['send --file a@b\t', ['send', '--file', 'a@b.json']],
    ['send --file "my\t\t', ['send', '--file', 'my file.json']],
    ['deliveries list --sta\tdea\t', ['deliveries', 'list', '--state', 'dead']],
  ])('on a terminal, %j becomes %j', async (keys, words) => {
    const cwd = project({ 'hs.ts': '', 'my file.json': '{}', 'a@b.json': '{}' })
    expect(await typedInBash(scripts.bash, `hookserver ${keys}`, cwd)).toEqual(words)
  })
})

describe('what is hostile to a shell', () => {
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
  const described = describeProgram(program)

  test('is a word like any other to bash', () => {
    const cwd = project()
    const offered = (before: string) => completionsInBash(bashScript(described), before, { cwd })
    expect(offered('demo run ')).toEqual(words.toSorted())
    expect(offered('demo run --a ')).toEqual(words.toSorted())
    expect(offered('demo run $(touch evil) ')).toEqual(['more'])
    expect(offered('demo run a b c ')).toEqual(['more'])
    expect(offered('demo run --b `touch evil` --a ')).toEqual(words.toSorted())
    expect(readdirSync(cwd)).toEqual([])
  })

  const inOneWord = `'it'\\''s' 'a:b' '$HOME' '$(touch' '\`touch' 'b[c]' '*'`

  test('reaches zsh as it is', () => {
    const script = zshScript(described)
    const spec = toldToZsh(script, 'demo run').find((one) => one.startsWith('*--a='))
    const [, explained = '', action = ''] = /^\*--a=\[(.*)\]:v\\:x:\((.*)\)$/.exec(spec ?? '') ?? []
    expect(explained).not.toMatch(/(?<!\\)(\\\\)*[[\]:]/) // would end it
    expect(explained.replace(/\\(.)/g, '$1')).toBe(text)
    expect(action.replaceAll('\\:', ':')).toBe(inOneWord)
    expect(toldToZsh(script, 'demo').find((one) => one.startsWith('run:'))).toBe(`run:${text.replaceAll('\\', '\\\\')}`)
  })

  test('reaches fish as it is', () => {
    const script = fishScript(described)
    expect(toldToFish(script, 'demo run')).toContainEqual([
      '-l',
      'a',
      '-r',
      '-f',
      '-a',
      inOneWord.replace("'\\''", "\\'"),
      '-d',
      text,
    ])
    expect(toldToFish(script, 'demo')).toContainEqual(['-a', 'run', '-d', text])
  })
})

test('a shell that there is no script for is refused', async () => {
  const { code, stderr } = await hookserver(['completion', 'tcsh'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('Allowed choices are bash, zsh, fish')])
})
