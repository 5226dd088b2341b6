/** A pull request in a local GitHub, and checks of it. */
import { type CheckWork, type Delivery, Hooks } from '../../src/index.ts'
import type { Json } from '../../src/runtime/json.ts'
import { type LocalGitHub, run } from '../../src/testing/index.ts'
import { startGitHub } from '../github/bot-scene.ts'
import type { Recorder } from '../recorder.ts'

export const [first, second] = ['a'.repeat(40), 'b'.repeat(40)]
export const repository = 'octo/hello'

/** A local GitHub with pull request 7, whose head is the first commit, and an App that writes checks. */
export async function startScene() {
  const github = await startGitHub()
  const installations = [{ id: 5, repositories: [repository] }]
  const app = github.addApp({ id: 3, slug: 'lint-bot', installations })
  await github.deliver('pull_request.opened', pullRequest(first))
  // Another `Hooks` handles another delivery at the same time, without the handlers of this one.
  const others = () => hooksOf(github, app)
  return { github, app, hooks: hooksOf(github, app), others, runs: (sha = first) => runsOf(github, sha) }
}

export function hooksOf({ url }: LocalGitHub, app: object, logger: Recorder | false = false) {
  return new Hooks({ validateSignature: false, logger, apiUrl: url, app: app as never })
}

export const pullRequest = (sha: string, action = 'opened') => ({
  ...{ action, number: 7, installation: { id: 5 }, repository: { full_name: repository, name: 'hello', id: 1 } },
  pull_request: { number: 7, title: 'New', head: { ref: 'feature', sha }, base: { ref: 'main', sha: 'c'.repeat(40) } },
})

/** Pushes a commit to the pull request. @returns The payload of the delivery. */
export async function push(github: LocalGitHub, sha: string, before: string = first) {
  const payload = { ...pullRequest(sha, 'synchronize'), before, after: sha }
  await github.deliver('pull_request.synchronize', payload)
  return payload
}

/** All check runs of a commit, oldest first. */
export async function runsOf(github: LocalGitHub, sha: string) {
  const headers = { authorization: `Bearer ${github.addToken()}` }
  const path = `${github.url}/repos/${repository}/commits/${sha}/check-runs?filter=all`
  const { check_runs: runs } = (await (await fetch(path, { headers })).json()) as {
    check_runs: (Json & { app: { id: number } })[]
  }
  return runs.toReversed()
}

/** Runs a check for a delivery, once. */
export async function check(
  hooks: Hooks,
  work: CheckWork,
  { payload = pullRequest(first) as Json, event = 'pull_request', attempt = 1 } = {},
) {
  const handler = (delivery: Delivery) => delivery.check('lint', work)
  hooks.on(event, handler)
  const [done] = await run(hooks, event, { payload: payload as never, attempt })
  hooks.off(event, handler)
  return done
}

export const annotation = (number: number) => ({
  ...{ path: 'a.ts', start_line: number, end_line: number, message: `Problem ${number}` },
  annotation_level: 'warning' as const,
})
