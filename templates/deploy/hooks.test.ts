/** Tests the deployment with signed sample payloads, in a repository of its own, without a server and without GitHub. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inject, sample, signedRequest } from 'hookserver/testing'

const folder = mkdtempSync(join(tmpdir(), 'deploy-'))
after(() => rmSync(folder, { recursive: true }))
const [origin, clone] = [join(folder, 'origin'), join(folder, 'clone')]

const git = (cwd: string, ...args: string[]): string => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim()
const commit = (): string => {
  const author = ['-c', 'user.name=octocat', '-c', 'user.email=octocat@example.org']
  git(origin, ...author, 'commit', '--quiet', '--allow-empty', '--message', 'A change')
  return git(origin, 'rev-parse', 'HEAD')
}

git(folder, 'init', '--quiet', '--initial-branch', 'main', origin)
commit()
git(folder, 'clone', '--quiet', origin, clone)

const secret = 'a secret for tests'
process.env.GITHUB_WEBHOOKS_KEY = secret // before the import, because new Hooks() reads it
process.env.DEPLOY_FOLDER = clone
const { default: hooks } = await import('./hooks.ts')

const push = (ref: string) => {
  const payload = { ...sample('push'), ref, deleted: false }
  return inject(hooks, signedRequest('push', { secret, payload }))
}

test('deploys the newest commit after a push to main', async () => {
  const newest = commit()
  assert.equal((await push('refs/heads/main')).status, 204)
  assert.equal(git(clone, 'rev-parse', 'HEAD'), newest)
})

test('does not deploy after a push to another branch', async () => {
  const deployed = git(clone, 'rev-parse', 'HEAD')
  commit()
  assert.equal((await push('refs/heads/next')).status, 204)
  assert.equal(git(clone, 'rev-parse', 'HEAD'), deployed)
})
