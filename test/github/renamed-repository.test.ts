/** A repository that is renamed while deliveries wait for their handlers, or for recovery. */
import { expect, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { run } from '../../src/testing/index.ts'
import { pullRequest } from '../bots/check-scene.ts'
import { requestsTo, startGitHub } from './bot-scene.ts'
import { Scene } from './recovery-scene.ts'

test('a handler reads, writes and checks the repository by the name in its delivery', async () => {
  const github = await startGitHub()
  github.addRepository('octo/hello', { files: { '.github/bot.yml': 'label: triage\n' } })
  const app = github.addApp({ id: 3, slug: 'bot', installations: [{ id: 5, repositories: ['octo/hello'] }] })
  const { repository: _, ...payload } = pullRequest('a'.repeat(40))
  const delivered = { ...payload, repository: { full_name: 'octo/hello', name: 'hello' } }
  await github.deliver('pull_request.opened', delivered)
  github.renameRepository('octo/hello', 'octo/world')
  const hooks = new Hooks({ validateSignature: false, logger: false, apiUrl: github.url, app })
  hooks.on('pull_request.opened', async ({ check, config, issue, octokit, repo }) => {
    const { label } = (await config('bot.yml')) ?? {}
    const conclusion = await check('lint', async () => 'neutral')
    const { rest } = await octokit()
    const { data } = await rest.issues.createComment(issue({ body: 'Hi' }))
    const outside = await hooks.octokit({ repository: `${repo().owner}/${repo().repo}` })
    const { name } = (await outside.request('GET /repos/{owner}/{repo}', repo())).data as { name: string }
    return { label, conclusion, comment: data.body, name }
  })
  const [done] = await run(hooks, 'pull_request.opened', { payload: delivered as never })
  expect(done?.returned).toEqual({ label: 'triage', conclusion: 'neutral', comment: 'Hi', name: 'world' })
  expect(requestsTo(github)).toContain('POST /repos/octo/hello/issues/7/comments 307')
})

test('recovery requests the deliveries of a webhook by the former name', async () => {
  const scene = await Scene.open()
  const deliver = () => scene.github.deliver('push', { ref: 'refs/heads/main', repository: { full_name: 'acme/shop' } })
  await scene.stopListening()
  const missed = [await deliver(), await deliver()].flatMap((all) => all.map(({ guid }) => guid))
  scene.github.renameRepository('acme/shop', 'acme/store')
  await scene.github.idle()
  await scene.startListening()
  const swept = await scene.recovery({ targets: [{ repository: 'acme/shop' }] }).sweep()
  expect(swept?.reports).toMatchObject([{ target: 'acme/shop', fetched: 2 }])
  await scene.github.idle()
  await scene.allHandled()
  expect([...scene.handled.keys()].toSorted()).toEqual(missed.toSorted())
})
