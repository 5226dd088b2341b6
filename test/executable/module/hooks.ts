/** The module that the executable serves. Its handlers start processes and threads as programs of users do. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Hooks } from 'hookserver'
import { exec } from 'hookserver/exec'

const program = join(import.meta.dirname, 'answer.ts')
const hooks = new Hooks({ validateIp: 'warn' })

hooks.on('push', { name: 'process' }, async () => (await once(fork(program, ['argument']), 'message'))[0])
hooks.on(
  'push',
  { name: 'thread' },
  async () => (await once(new Worker(program, { argv: ['argument'] }), 'message'))[0],
)
hooks.on('push', { name: 'exec' }, exec(process.execPath, [program, 'argument']))
hooks.on('push', { name: 'octokit' }, async (delivery) => typeof (await delivery.octokit()).request)

export default hooks
