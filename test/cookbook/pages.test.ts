/** The recipes have the same parts, their programs are those of the examples, and all commands in the docs are valid. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { variablesOf } from '../../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../../src/server/config/settings.ts'
import { commandsIn, parseCommand } from './documented-commands.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const filesIn = (folder: string) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
const recipes = filesIn('docs/cookbook')
const pages = ['README.md', ...filesIn('docs').flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : []))]

describe.each(recipes)('docs/cookbook/%s', (recipe) => {
  const page = read(`docs/cookbook/${recipe}`)

  test('says when to use it, how to try it, and how to solve problems, in at most 75 lines', () => {
    expect(page).toMatch(/^# .+\n\nUse this recipe if /)
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(['Try it', 'Troubleshooting'])
    expect(page.trimEnd().split('\n').length).toBeLessThan(75)
  })

  test('shows the programs that it links to', () => {
    const targets = [...page.matchAll(/\]\(\.\.\/\.\.\/((?:examples|templates)\/[^)]+\.(?:ts|tf|yaml))\)/g)]
    const programs = targets.map(([, file = '']) => read(file))
    const [shown = ''] = page.split('\n## Try it\n')
    for (const [, code = ''] of shown.matchAll(/^```(?:ts|hcl|yaml)\n(.*?)^```$/gms)) {
      if (/^(?:name: update|terminationGracePeriodSeconds)/.test(code)) continue // a workflow, and a part of a manifest
      expect(
        programs.some((program) => program.endsWith(`\n${code}`)),
        code,
      ).toBe(true)
    }
  })
})

test('each program of the cookbook has a page', () => {
  const linked = recipes.map((recipe) => read(`docs/cookbook/${recipe}`)).join('\n')
  for (const file of filesIn('examples/cookbook')) expect(linked).toContain(`(../../examples/cookbook/${file})`)
})

test.each(pages)('the commands in %s are valid', (page) => {
  for (const command of commandsIn(read(page))) expect(() => parseCommand(command), command.join(' ')).not.toThrow()
})

const variables = ['GITHUB_WEBHOOKS_KEY', ...(Object.keys(settings) as SettingName[]).flatMap(variablesOf)]

test('render.yaml sets variables of hookserver, and checks its health', () => {
  const [service] = parse(read('examples/cookbook/render.yaml')).services
  for (const { key } of service.envVars) expect(variables).toContain(key)
  expect(service.maxShutdownDelaySeconds * 1000).toBeGreaterThan(settings.grace.default + 3000)
  expect(service).toMatchObject({ healthCheckPath: '/healthz', disk: { mountPath: '/data' } })
  expect(parseCommand(service.startCommand.split(' ').slice(2))).toBe('serve')
})

test('fly.toml sets variables of hookserver, and gives handlers time to end', () => {
  const file = read('examples/cookbook/fly.toml')
  const [, env = ''] = /^\[env\]\n(.*?)\n\n/ms.exec(file) ?? []
  for (const [, name] of env.matchAll(/^(\w+) = /gm)) expect(variables).toContain(name)
  const [, seconds] = /^kill_timeout = '(\d+)s'$/m.exec(file) ?? []
  expect(Number(seconds) * 1000).toBeGreaterThan(settings.grace.default + 3000)
  expect(/^HOOKSERVER_PORT = '(\d+)'$/m.exec(file)?.[1]).toBe(/^internal_port = (\d+)$/m.exec(file)?.[1])
})

test('webhook.tf has the arguments that the provider documents', () => {
  const resources = [...read('examples/cookbook/webhook.tf').matchAll(/^resource "(\w+)" "\w+" \{\n(.*?)^\}$/gms)]
  expect(resources.map(([, type]) => type)).toEqual(['github_repository_webhook', 'github_organization_webhook'])
  for (const [, type, body = ''] of resources) {
    const [own = '', configuration = ''] = body.split('configuration {')
    const namesIn = (text: string) => [...text.matchAll(/^ *(\w+) +=/gm)].map(([, name]) => name)
    expect(namesIn(own)).toEqual(type === 'github_repository_webhook' ? ['repository', 'events'] : ['events'])
    expect(namesIn(configuration)).toEqual(['url', 'content_type', 'secret', 'insecure_ssl'])
  }
})
