import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { exec } from '../../src/exec/index.ts'
import { type Handler, handlerOptions } from '../../src/handler.ts'
import { Hooks } from '../../src/index.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { deliveryOf, failureOf, programs } from './fixtures.ts'

const { folder, write, sh } = programs()

describe('a program', () => {
  test('that exits with 0 resolves with a text', async () => {
    write('ok.sh', '#!/bin/sh\n')
    expect(await deliveryOf().run(exec('./ok.sh', { cwd: folder }))).toMatch(/^\.\/ok\.sh exited with 0 after \d+ ms$/)
  })

  test('gets its arguments unchanged, without a shell', async () => {
    const args = ['$HOME', '`id`', "it's; exit 1", '', '*', '日本']
    const { run, written } = deliveryOf()
    await run(exec(sh('for one; do echo "<$one>"; done'), args))
    expect(written()).toEqual(args.map((one) => `<${one}>`))
  })

  test('gets the arguments that were given when exec was called', async () => {
    const args = ['one']
    const handler = exec(sh('echo "$@"'), args)
    args.push('two')
    const { run, written } = deliveryOf()
    await run(handler)
    expect(written()).toEqual(['one'])
  })

  test('runs in cwd', async () => {
    const { run, written } = deliveryOf()
    await run(exec('pwd', { cwd: folder }))
    expect(written()).toEqual([folder])
  })

  test('is found in PATH if its name has no slash', async () => {
    write('hello', '#!/bin/sh\necho hello')
    const { run, written } = deliveryOf()
    await run(exec('hello', { env: { PATH: `${folder}:${process.env.PATH}` } }))
    expect(written()).toEqual(['hello'])
  })

  test('gets the payload as JSON on standard input', async () => {
    const { run, delivery, written } = deliveryOf({ message: '日本 𝒳\nand more' })
    await run(exec('cat'))
    expect(written()).toEqual([JSON.stringify(delivery.payload)])
  })

  test('gets all digits of the BigInts that parsePayload returned', async () => {
    const { run, written } = deliveryOf({ id: 2n ** 64n, ids: [-(2n ** 53n) - 1n] })
    await run(exec('cat'))
    expect(written().join()).toContain('"id":18446744073709551616,"ids":[-9007199254740993]')
  })

  test('need not read its input', async () => {
    const { run, written } = deliveryOf({ large: 'x'.repeat(5_000_000) })
    await run(exec(sh('exec 0<&-; echo closed')))
    await run(exec('true'))
    expect(written()).toEqual(['closed'])
  })

  test('need not read all of its input', async () => {
    const { run, written } = deliveryOf({ large: 'x'.repeat(5_000_000) })
    await run(exec(sh('head -c 5; echo')))
    expect(written()).toEqual(['{"ref'])
  })
})

describe('a failure', () => {
  test('is any exit code but 0, and quotes the last lines of standard error', async () => {
    const file = sh('for i in 1 2 3 4 5 6 7; do echo "problem $i" >&2; echo "progress $i"; echo >&2; done; exit 3')
    const { message } = await failureOf(deliveryOf().run(exec(file)))
    const quoted = [3, 4, 5, 6, 7].map((i) => `\nproblem ${i}`).join('')
    expect(message.replace(/\d+ ms/, 'N ms')).toBe(`${file} exited with 3 after N ms${quoted}`)
  })

  test('is a signal', async () => {
    const file = sh('kill -USR1 $$')
    expect((await failureOf(deliveryOf().run(exec(file)))).message).toContain(`${file} was killed by SIGUSR1 after `)
  })

  test('is logged, and not shown to the sender', async () => {
    const secret = 'a secret'
    const logger = new Recorder()
    const hooks = new Hooks({ secret, logger })
    hooks.hook('push', { name: 'deploy' }, exec(sh('echo the password is 1234 >&2; exit 1')))
    const reply = await inject(hooks, signedRequest('push', { secret }))
    expect(reply.status).toBe(500)
    expect(await reply.text()).not.toContain('1234')
    expect(logger.lines).toContainEqual({
      level: 'info',
      fields: expect.objectContaining({ stream: 'stderr', event: 'push' }),
      message: 'the password is 1234',
    })
  })
})

describe('the handler', () => {
  test('fits every event, and its text is the reply of a hook', async () => {
    const secret = 'a secret'
    const hooks = new Hooks({ secret, logger: false })
    const handler = exec('true')
    hooks.hook('push', handler)
    hooks.on(['issues', 'pull_request.opened'], { name: 'several' }, handler)
    hooks.on('*', { name: 'all' }, handler)
    const typed: Handler<'workflow_run.completed'> = handler
    hooks.on('workflow_run.completed', { name: 'typed' }, typed)
    hooks.on(
      'push',
      {
        name: 'mine',
      },
      (delivery) => delivery.payload.repository.private && handler(delivery.payload, delivery.guid, delivery),
    )
    const reply = await inject(hooks, signedRequest('push', { secret }))
    expect(await reply.text()).toMatch(/^true exited with 0 after \d+ ms$/)
  })

  test('has the order by repository for an inbox, or none with order: false', () => {
    expect(exec('true')[handlerOptions]).toEqual({ order: 'repository' })
    expect(exec('true', { order: false })[handlerOptions]).toEqual({})
  })

  test('has a timeout for an inbox that includes the timeout of the program, and killAfter', () => {
    const timeout = (options: { timeout: number; killAfter?: number }) => exec('true', options)[handlerOptions].timeout
    expect(timeout({ timeout: 3_600_000, killAfter: 60_000 })).toBe(3_661_000)
    expect(timeout({ timeout: 2 ** 31 - 1 })).toBe(2 ** 31 - 1)
  })
})

describe('one at a time', () => {
  /** A program that fails while another run of it is in progress. */
  const alone = () => sh(`cd '${folder}' && mkdir lock || exit 9; sleep 0.05; rmdir lock`)
  const five = [1, 2, 3, 4, 5]

  test('for each repository', async () => {
    const handler = exec(alone())
    await Promise.all(five.map(() => deliveryOf().run(handler)))
  })

  test('is the default, and can be disabled', async () => {
    /** A program that ends when all five runs of it have started. */
    const together = sh(`cd '${folder}' && touch "run$$" && until [ $(ls | grep -c ^run) -ge 5 ]; do sleep 0.05; done`)
    const handler = exec(together, { order: false })
    const runs = await Promise.all(five.map(() => deliveryOf().run(handler)))
    expect(runs).toEqual(five.map(() => expect.stringContaining('exited with 0')))
  })

  test('in order of receipt', async () => {
    const lines: string[] = []
    const handler = exec(sh('echo $HOOKSERVER_GUID'))
    const deliveries = five.map((i) => deliveryOf({}, 'push', `guid ${i}`))
    await Promise.all(deliveries.map(({ run, written }) => run(handler).then(() => lines.push(...written()))))
    expect(lines).toEqual(five.map((i) => `guid ${i}`))
  })

  test('continues after a failure', async () => {
    const handler = exec(sh('test $HOOKSERVER_GUID = good'))
    const [bad, good] = [deliveryOf({}, 'push', 'bad').run(handler), deliveryOf({}, 'push', 'good').run(handler)]
    await expect(bad).rejects.toThrow('exited with 1')
    expect(await good).toContain('exited with 0')
  })

  test('does not delay another repository, or deliveries without a repository', async () => {
    const gate = join(folder, 'gate')
    const handler = exec(
      sh(`test "$HOOKSERVER_REPOSITORY" = slow || exit 0; mkfifo '${gate}'; echo waiting; cat '${gate}'`),
    )
    const slow = deliveryOf({ repository: { full_name: 'slow' } })
    const held = slow.run(handler)
    await vi.waitFor(() => expect(slow.written()).toEqual(['waiting']))
    await deliveryOf({ repository: { full_name: 'quick' } }).run(handler)
    await deliveryOf({ repository: undefined }).run(handler)
    await deliveryOf().run(exec('sh', ['-c', `echo open > '${gate}'`]))
    await held
    expect(slow.written()).toEqual(['waiting', 'open'])
  })

  test('stops waiting when the signal aborts, and does not start the program', async () => {
    const handler = exec(sh('echo began; exec sleep 60'), { killAfter: 0 })
    const [first, second] = [deliveryOf(), deliveryOf()]
    const [held, waiting] = [first.run(handler), second.run(handler)]
    await vi.waitFor(() => expect(first.written()).toEqual(['began']))
    const reason = new Error('the time is over')
    second.delivery.abort(reason)
    const failure = await failureOf(waiting)
    expect(failure).toMatchObject({ message: expect.stringContaining('not started: the time is over'), cause: reason })
    first.delivery.abort(reason)
    await failureOf(held)
    expect(second.written()).toEqual([])
  })

  test('does not start the program if the signal has already aborted', async () => {
    const { delivery, run, written } = deliveryOf({ repository: undefined })
    delivery.abort(new Error('Shutting down'))
    expect((await failureOf(run(exec('echo', ['began'])))).message).toBe('echo was not started: Shutting down')
    expect(written()).toEqual([])
  })
})
