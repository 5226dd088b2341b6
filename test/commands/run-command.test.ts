import { expect, onTestFinished, test, vi } from 'vitest'
import { readCommand } from '../../src/commands/command-options.ts'
import { runCommand } from '../../src/commands/run-command.ts'
import type { Delivery } from '../../src/index.ts'
import { KeyLocks } from '../../src/runtime/mutex.ts'
import { Recorder } from '../recorder.ts'

/** Runs `/deploy` of a user with the permission. @param answer Returns the data of the answer to a request. */
function deploy(
  answer: (route: string) => unknown,
  handler: (delivery: object) => unknown,
  signal = new AbortController().signal,
) {
  const user = { login: 'mona', id: 5 }
  const log = new Recorder()
  const delivery = {
    ...{ guid: 'a guid', hookId: '1', source: '/hooks', handler: 'command:/deploy', repository: 'octo/hello' },
    ...{ attempt: 1, isLastAttempt: true, signal, log },
    payload: { action: 'created', issue: { number: 7 }, comment: { id: 1, body: '/deploy', user }, sender: user },
    octokit: async () => ({
      request: async (route: string) => {
        const data = await answer(route)
        return { data: route.endsWith('/permission') ? { permission: 'write', user } : data }
      },
    }),
  }
  const { command, usage } = readCommand('/deploy', {})
  const result = runCommand({ command, usage, handler }, delivery as unknown as Delivery, new KeyLocks())
  return { result, log }
}

test('a command does not call its handler if the attempt has ended meanwhile', async () => {
  const attempt = new AbortController()
  let runs = 0
  const { result } = deploy(
    (route) => route.endsWith('/permission') && attempt.abort(new Error('too late')),
    () => runs++,
    attempt.signal,
  )
  await expect(result).rejects.toThrow('too late')
  expect(runs).toBe(0)
})

test('the delivery of a command has its own members and those of any delivery', async () => {
  const names = ['args', 'reply', 'react', 'guid', 'octokit', 'toString']
  const { result } = deploy(
    () => undefined,
    (delivery) => names.filter((name) => !(name in delivery)),
  )
  expect(await result).toEqual([])
})

test('a command ends although GitHub does not answer its reactions, and logs a late failure', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const reaction = Promise.withResolvers<never>()
  const { result, log } = deploy(
    (route) => (route.endsWith('/reactions') ? reaction.promise : undefined),
    () => 'deployed',
  )
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await result).toBe('deployed')
  reaction.reject(new Error('no answer'))
  await vi.advanceTimersByTimeAsync(0)
  expect(log.messages).toContain('Cannot add the reaction rocket to a comment')
})
