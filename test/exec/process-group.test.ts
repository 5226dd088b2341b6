import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { type ExecOptions, exec } from '../../src/exec/index.ts'
import { deliveryOf, failureOf, holders, programs } from './fixtures.ts'

const files = programs()
const { sh, write } = files
const { command, holding } = holders(files)

/** Resolves when the child with this pid has exited. */
const exitOf = (pid: number) => vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { interval: 5 })

/** Resolves when the process at the other end of the connection has ended. */
const gone = async (socket: Socket) => void (socket.closed || (await once(socket, 'close')))

describe('the time limit', () => {
  test('ends a program, with an error', async () => {
    const { message } = await failureOf(deliveryOf().run(exec('sleep', ['60'], { timeout: '50ms' })))
    expect(message).toMatch(/^sleep was ended after \d+ ms: its "timeout" is 50 ms$/)
    expect(Number(/\d+/.exec(message))).toBeGreaterThanOrEqual(50)
  })

  test('does not apply to a program that has exited', async () => {
    // After the exit, hookserver reads the output for 1000 ms more.
    const running = deliveryOf().run(exec(sh(`${command} & echo done`), { timeout: 900 }))
    const socket = await holding()
    expect(await running).toContain('exited with 0')
    await gone(socket)
  })
})

describe('the signal', () => {
  test('ends a program, and the error has the reason and its last output', async () => {
    const { delivery, run, written } = deliveryOf()
    const file = sh('echo working >&2; echo ready; exec sleep 60')
    const running = run(exec(file))
    await vi.waitFor(() => expect(written()).toEqual(['ready']))
    const reason = new Error('Shutting down')
    delivery.abort(reason)
    const failure = await failureOf(running)
    expect(failure.message.replace(/\d+ ms/, 'N ms')).toBe(`${file} was ended after N ms: Shutting down\nworking`)
    expect(failure.cause).toBe(reason)
  })

  test('lets the program handle SIGTERM, and waits until it has ended', async () => {
    const { delivery, run, written } = deliveryOf()
    const file = sh('trap "echo tidied up; wait; exit 0" TERM; sleep 60 & echo ready; wait')
    const running = run(exec(file, { killAfter: 600_000 }))
    await vi.waitFor(() => expect(written()).toContain('ready'))
    delivery.abort(new Error('Shutting down'))
    expect((await failureOf(running)).message).toContain('Shutting down')
    expect(written()).toEqual(['ready', 'tidied up'])
  })

  test('kills a program that ignores SIGTERM', async () => {
    const { delivery, run } = deliveryOf()
    const running = run(exec(sh(`exec ${command}`), { killAfter: '50ms' }))
    const socket = await holding()
    delivery.abort(new Error('Shutting down'))
    expect((await failureOf(running)).message).toContain('Shutting down')
    await gone(socket)
  })

  test('kills a grandchild that ignores SIGTERM and holds no output open, after its parent has ended', async () => {
    const { delivery, run } = deliveryOf()
    const running = run(exec(sh(`${command} > /dev/null 2>&1 & wait`), { killAfter: 200 }))
    const socket = await holding()
    delivery.abort(new Error('Shutting down'))
    expect((await failureOf(running)).message).toContain('Shutting down')
    await gone(socket)
  })

  test('gives a grandchild time to end, and the handler waits for it', async () => {
    const { delivery, run, written } = deliveryOf()
    let settled = false
    const running = run(exec(sh(`echo $$; ${command} > /dev/null 2>&1 & wait`), { killAfter: 3000 }))
    running.catch(() => {}).then(() => (settled = true))
    const socket = await holding()
    delivery.abort(new Error('Shutting down'))
    await exitOf(Number(written()[0]))
    socket.write('are you there?')
    expect(String((await once(socket, 'data'))[0])).toBe('are you there?')
    expect(settled).toBe(false)
    socket.end()
    expect((await failureOf(running)).message).toContain('Shutting down')
  })
})

describe('a process that a program leaves behind', () => {
  test('is killed if it holds the output open, and the run succeeds', async () => {
    const { run, log, written } = deliveryOf()
    const file = sh(`${command} & echo done`)
    const running = run(exec(file))
    const socket = await holding()
    expect(await running).toContain('exited with 0')
    expect(written()).toEqual(['done'])
    const message = expect.stringMatching(
      /exited, but a process that it started kept the output open: hookserver sent SIGKILL to the process group/,
    )
    expect(log.lines.at(-1)).toMatchObject({ level: 'warn', message })
    await gone(socket)
  })

  test('continues if it has closed the output', async () => {
    const { run, log } = deliveryOf()
    const running = run(exec(sh(`${command} > /dev/null 2>&1 &`)))
    const socket = await holding()
    expect(await running).toContain('exited with 0')
    expect(log.lines).toEqual([])
    socket.write('alive?')
    expect(String((await once(socket, 'data'))[0])).toBe('alive?')
    socket.end()
    await gone(socket)
  })

  test('does not fail the run if the signal aborts meanwhile', async () => {
    const { delivery, run, written } = deliveryOf()
    const running = run(exec(sh(`${command} & echo $$`)))
    const socket = await holding()
    await vi.waitFor(() => expect(written()).toHaveLength(1))
    await exitOf(Number(written()[0]))
    delivery.abort(new Error('Shutting down'))
    expect(await running).toContain('exited with 0')
    await gone(socket)
  })

  test.runIf(process.platform === 'linux')('continues in another process group, and the log says so', async () => {
    const { run, log } = deliveryOf()
    const running = run(exec('setsid', ['sh', '-c', `${command} &`]))
    const socket = await holding()
    expect(await running).toContain('exited with 0')
    const message = expect.stringContaining(
      'kept the output open: hookserver does not kill it, because it has left the',
    )
    expect(log.lines.at(-1)).toMatchObject({ level: 'warn', message })
    socket.write('alive?')
    expect(String((await once(socket, 'data'))[0])).toBe('alive?')
    socket.end()
    await gone(socket)
  })
})

describe('the end of this process', () => {
  /** Runs a program in a process of its own. @param on Code that runs for each line of output. */
  const processWith = (file: string, options: ExecOptions, on: string) => {
    const program = `
      import { exec } from '${fileURLToPath(new URL('../../src/exec/index.ts', import.meta.url))}'
      const { signal, abort } = (([c]) => ({ signal: c.signal, abort: () => c.abort() }))([new AbortController()])
      const delivery = { event: 'push', payload: {}, guid: 'guid', signal, log: { info: (_fields, line) => { ${on} }, warn() {} } }
      await exec('${file}', ${JSON.stringify(options)})(delivery).catch(() => (process.exitCode = 8))
    `
    return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'inherit', 'inherit'] })
  }

  test('ends running programs', async () => {
    const file = sh(`'${process.execPath}' '${write('obedient.mjs', obedient)}' ${command.split(' ').at(-1)}`)
    const child = processWith(file, {}, "if (line === 'ready') process.exit(7)")
    const socket = await holding()
    socket.write('go')
    expect(await once(child, 'exit')).toEqual([7, null])
    await gone(socket)
  })

  test('does not wait for killAfter if the group has ended', async () => {
    const child = processWith(sh('echo ready; exec sleep 60'), { killAfter: 600_000 }, 'abort()')
    expect(await once(child, 'exit')).toEqual([8, null])
  })

  test('has no listener while no program runs', async () => {
    const before = process.listenerCount('exit')
    const { delivery, run, written } = deliveryOf()
    const more = deliveryOf({ repository: { full_name: 'acme/other' } })
    const handler = exec(sh('echo ready; exec sleep 60'))
    const runs = [run(handler), more.run(handler)]
    await vi.waitFor(() => expect([...written(), ...more.written()]).toEqual(['ready', 'ready']))
    expect(process.listenerCount('exit')).toBe(before + 1)
    for (const one of [delivery, more.delivery]) one.abort(new Error('enough'))
    await Promise.allSettled(runs)
    expect(process.listenerCount('exit')).toBe(before)
  })
})

/** Holds a connection until SIGTERM. Prints `ready` when it receives data. */
const obedient = `
  import { connect } from 'node:net'
  const socket = connect(process.argv[2])
  socket.on('data', () => console.log('ready'))
  socket.on('close', () => process.exit())
`
