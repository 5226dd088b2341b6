import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { main } from '../build.ts'
import { helpOf, hookserver } from './command.ts'

const commands = [
  '',
  'init',
  'serve',
  'send',
  'deliveries',
  'deliveries list',
  'deliveries show',
  'deliveries retry',
  'deliveries discard',
  'deliveries export',
  'deliveries import',
  'failures',
  'failures list',
  'failures show',
  'failures retry',
  'failures discard',
  'handlers',
  'handlers list',
  'handlers pause',
  'handlers resume',
  'schedules',
  'schedules list',
  'schedules run',
  'schedules pause',
  'schedules resume',
  'audit',
  'processes',
  'recover',
  'webhooks',
  'webhooks ensure',
  'webhooks list',
  'webhooks check',
  'webhooks rotate',
  'webhooks delete',
  'ranges',
  'app',
  'app create',
  'app import',
  'app status',
  'app diff',
  'github',
  'probot',
  'probot run',
  'probot receive',
  'migrate',
  'doctor',
  'completion',
]

describe('--help', () => {
  test.each(commands)('of "%s"', (command) => {
    expect(helpOf(command.split(' ').filter(Boolean))).toMatchSnapshot()
  })

  test('is shown by the built program, run by its name as npx does', () => {
    const env = { ...process.env, PATH: dirname(process.execPath) + delimiter + process.env.PATH }
    for (const command of ['', 'webhooks', 'webhooks ensure']) {
      const words = command.split(' ').filter(Boolean)
      const { status, stdout } = spawnSync(main, [...words, '--help'], { encoding: 'utf8', env })
      expect([status, stdout]).toEqual([0, helpOf(words)])
    }
  })

  test('lists every command that is tested here, and no other', () => {
    const listed = [...helpOf([]).matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name)
    const tested = commands.flatMap((command) => (/^\w+$/.test(command) ? [command] : []))
    expect(listed).toEqual([...tested, 'help'])
  })
})

test.each(['--version', '-v', '-V', 'version'])('%s prints the version in package.json', async (flag) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(await hookserver([flag])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
})

describe('invalid arguments', () => {
  test.each([
    [[], /Usage: hookserver/],
    [['srve'], /^hookserver: unknown command 'srve'.*Did you mean serve\?/s],
    [
      ['retry', '3'],
      /unknown command 'retry'\n\(Did you mean deliveries retry or failures retry\?\)\n\(run npx hookserver --help/,
    ],
    [['list'], /\(Did you mean deliveries list, failures list, handlers list, schedules list or webhooks list\?\)/],
    [['status'], /\(Did you mean processes, doctor or app status\?\)/],
    [['logs'], /\(Did you mean deliveries list --follow or deliveries show\?\)/],
    [['replay'], /\(Did you mean deliveries retry\?\)/],
    [['constructor'], /unknown command 'constructor'\n\(run/],
    [['app', 'create', '--module', 'x.ts'], /app create has no --module: .* as in "hookserver app create hooks\.ts"/],
    [['serve', '--module=x.ts'], /serve has no --module: name the module without the flag/],
    [['serve', '--prot', '1'], /unknown option '--prot'.*Did you mean --port\?/s],
    [
      ['webhooks', 'list'],
      /missing required argument 'target'.*\(run npx hookserver webhooks list --help to see its flags/s,
    ],
    [['--secret=hidden', 'send', 'push'], /unknown option '--secret=…'/],
  ])('%j exit with 2 and a message on stderr', async (args, message) => {
    const { code, stderr, stdout } = await hookserver(args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('hidden')
  })
})
