/** `Context`: helpers for requests, and configuration files. */
import { describe, expect, test } from 'vitest'
import { Context, ProbotOctokit } from '../../src/probot/index.ts'
import { Recorder } from '../recorder.ts'
import { eventOf, fakeGitHub, recordedLog } from './scene.ts'

const quiet = { retry: { enabled: false }, throttle: { enabled: false } }
const folder = '/repos/Codertocat'

function contextFor(name: string, answers: Record<string, unknown> = {}) {
  const github = fakeGitHub(answers)
  const octokit = new ProbotOctokit({ ...quiet, request: { fetch: github.fetch } })
  return { context: new Context(eventOf(name), octokit, recordedLog(new Recorder())), github }
}

describe('the parameters of a request', () => {
  const repository = { owner: 'Codertocat', repo: 'Hello-World' }

  test('name the repository, the issue and the pull request', () => {
    expect(contextFor('push').context.repo()).toEqual(repository)
    expect(contextFor('issues.opened').context.issue()).toEqual({ ...repository, issue_number: 1 })
    expect(contextFor('pull_request.opened').context.issue()).toEqual({ ...repository, issue_number: 2 })
    expect(contextFor('pull_request.opened').context.pullRequest()).toEqual({ ...repository, pull_number: 2 })
  })

  test('have the members of the argument, which override', () => {
    const { context } = contextFor('issues.opened')
    expect(context.repo({ path: 'a' })).toEqual({ ...repository, path: 'a' })
    expect(context.issue({ owner: 'acme', issue_number: 7, body: 'b' })).toEqual({
      owner: 'acme',
      repo: 'Hello-World',
      issue_number: 7,
      body: 'b',
    })
  })

  test('are an error without a repository', () => {
    const octokit = new ProbotOctokit(quiet)
    const event = { id: 'guid-1', name: 'installation', payload: {} }
    const context = new Context(event, octokit, recordedLog(new Recorder()))
    expect(() => context.repo()).toThrow('context.repo() is not supported for this webhook event.')
  })
})

test('isBot says whether a bot caused the event', () => {
  const { context } = contextFor('issues.opened')
  const bot = { ...eventOf('issues.opened'), payload: { sender: { id: 1, login: 'bot[bot]', type: 'Bot' } } }
  expect(context.isBot).toBe(false)
  expect(new Context(bot, context.octokit, context.log).isBot).toBe(true)
})

test('each request has the GUID of the delivery', async () => {
  const { context, github } = contextFor('push', { 'GET /user': {} })
  await context.octokit.request('GET /user')
  expect(github.sent[0]?.headers['x-github-delivery']).toBe('guid-1')
})

describe('context.config()', () => {
  const own = `GET ${folder}/Hello-World/contents/.github/bot.yml`
  const shared = `GET ${folder}/.github/contents/.github/bot.yml`

  test('reads the file of the repository', async () => {
    const { context, github } = contextFor('push', { [own]: 'label: bug\ndays: 3\n' })
    expect(await context.config('bot.yml')).toEqual({ label: 'bug', days: 3 })
    expect(github.routes()).toEqual([own])
  })

  test("falls back to the owner's repository .github, then to the defaults, then to null", async () => {
    const { context } = contextFor('push', { [shared]: 'label: bug' })
    expect(await context.config('bot.yml', { label: 'none', days: 7 })).toEqual({ label: 'bug', days: 7 })
    const { context: without, github } = contextFor('push')
    expect(await without.config('bot.yml', { days: 7 })).toEqual({ days: 7 })
    expect(await without.config('bot.yml')).toBeNull()
    expect(github.routes()).toEqual([own, shared, own, shared])
  })

  test('merges the files that a file extends', async () => {
    const base = 'GET /repos/acme/settings/contents/base.yml'
    const { context } = contextFor('push', {
      [own]: '_extends: .github\nlabels:\n  bug: red',
      [shared]: '_extends: acme/settings:base.yml\nlabels:\n  bug: blue\n  docs: green',
      [base]: 'days: 5\nlabels:\n  stale: gray',
    })
    const labels = { bug: 'red', docs: 'green', stale: 'gray', own: 'white' }
    expect(await context.config('bot.yml', { labels: { own: 'white' } })).toEqual({ days: 5, labels })
  })

  test('merges lists as the options of deepmerge say', async () => {
    const { context } = contextFor('push', { [own]: '_extends: .github\nlist: [1]', [shared]: 'list: [2]' })
    expect(await context.config('bot.yml')).toEqual({ list: [2, 1] })
    const arrayMerge = (_: unknown[], source: unknown[]) => source
    expect(await context.config('bot.yml', {}, { arrayMerge })).toEqual({ list: [1] })
  })

  test('rejects files that extend each other', async () => {
    const { context } = contextFor('push', { [own]: '_extends: .github', [shared]: '_extends: Hello-World' })
    await expect(context.config('bot.yml')).rejects.toThrow('remove one "_extends"')
  })

  test('rejects more than 10 files that extend each other', async () => {
    const base = (n: number) => `GET ${folder}/base-${n}/contents/.github/bot.yml`
    const chain = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [base(n), `_extends: base-${n + 1}`]))
    const { context, github } = contextFor('push', { ...chain, [own]: '_extends: base-0' })
    await expect(context.config('bot.yml')).rejects.toThrow('more than 10 files extend each other')
    expect(github.routes()).toHaveLength(11)
  })

  test.each(['..', '.', 'acme/..', 'base:../a.yml', 'base:a/./b.yml'])('rejects _extends: %s', async (text) => {
    const { context, github } = contextFor('push', { [own]: `_extends: "${text}"` })
    await expect(context.config('bot.yml')).rejects.toThrow('"_extends" must be "repo"')
    expect(github.routes()).toEqual([own])
  })

  test('says which file is not valid', async () => {
    const { context } = contextFor('push', { [own]: 'a: [' })
    await expect(context.config('bot.yml')).rejects.toThrow('bot.yml is not valid YAML')
    const { context: text } = contextFor('push', { [own]: 'only text' })
    await expect(text.config('bot.yml')).rejects.toThrow('must contain members')
    await expect(text.config('bot.toml')).rejects.toThrow('ends with .yml, .yaml or .json')
    const { context: long } = contextFor('push', { [own]: `a: ${'b'.repeat(65_534)}` })
    await expect(long.config('bot.yml')).rejects.toThrow('bot.yml must have at most 65536 characters')
    const { context: twice } = contextFor('push', { [own]: 'a: 1\na: 2' })
    await expect(twice.config('bot.yml')).rejects.toThrow('is not valid YAML: Map keys must be unique, in line 2')
    const { context: wrong } = contextFor('push', { [own]: '_extends: "no repository"' })
    await expect(wrong.config('bot.yml')).rejects.toThrow('"_extends" must be "repo"')
  })

  test('reads JSON, an empty file, and a file outside of .github', async () => {
    const { context } = contextFor('push', {
      [`GET ${folder}/Hello-World/contents/.github/bot.json`]: { days: 3 },
      [own]: '# nothing yet\n',
      [`GET ${folder}/Hello-World/contents/root.yml`]: 'days: 4',
    })
    expect(await context.config('bot.json')).toEqual({ days: 3 })
    expect(await context.config('bot.yml')).toEqual({})
    expect(await context.config('../root.yml')).toEqual({ days: 4 })
  })

  test('rejects if GitHub does not answer with the file', async () => {
    const { context } = contextFor('push', { [own]: new Response('no', { status: 403 }) })
    await expect(context.config('bot.yml')).rejects.toMatchObject({ status: 403 })
  })
})
