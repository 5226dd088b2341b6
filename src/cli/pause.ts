import type { Command } from 'commander'
import type { AdminClient } from './admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, withClient } from './flags.ts'
import { printable, printLines } from './output.ts'

/** The name that stands for all handlers. */
const all = '*'

export function addPause(program: Command): void {
  const pause = program
    .command('pause [handler]')
    .summary('Pause a handler, or all handlers')
    .description(
      'Pauses a handler, or all handlers, in every process. A restart does not resume them. ' +
        'The server still receives and stores deliveries, and running attempts finish.',
    )
  addConnectionFlags(pause).addHelpText('after', pauseExamples)
  pause.action((handler: string = all, flags: ConnectionFlags) => {
    return withClient(flags, async (client) => {
      await client.pause(handler)
      await report(client, `Paused ${nameOf(handler)}.`)
      if (handler !== all) await warnIfUnknown(client, handler)
    })
  })
  const resume = program
    .command('resume [handler]')
    .summary('Resume a handler, or all handlers')
    .description('Undoes "pause". A handler that you paused by name must be resumed by name.')
  addConnectionFlags(resume).addHelpText('after', resumeExamples)
  resume.action((handler: string = all, flags: ConnectionFlags) => {
    return withClient(flags, async (client) => {
      const { paused } = await client.overview()
      await client.resume(handler)
      const name = nameOf(handler)
      await report(client, paused.includes(handler) ? `Resumed ${name}.` : `Not paused: ${name}.`)
    })
  })
}

const pauseExamples = `
Examples:
  hookserver pause                        pause all handlers
  hookserver pause hook:issues.opened     pause one handler, by its name in "deliveries show"`

const resumeExamples = `
Examples:
  hookserver resume                       after "hookserver pause"
  hookserver resume hook:issues.opened    after "hookserver pause hook:issues.opened"`

async function report(client: AdminClient, change: string): Promise<void> {
  const { paused } = await client.overview()
  const now = paused.length === 0 ? 'No handler is paused now.' : `Paused now: ${paused.map(nameOf).join(', ')}.`
  await printLines([change, now])
}

/** Warns about a handler without deliveries, because its name may be misspelled. It may also not be deployed yet. */
async function warnIfUnknown(client: AdminClient, handler: string): Promise<void> {
  const { deliveries, next } = await client.list({ handler, limit: 1 })
  if (deliveries.length > 0 || next !== undefined) return
  console.error(`${nameOf(handler)} has not handled any delivery yet: check the name.`)
}

const nameOf = (handler: string): string => (handler === all ? 'all handlers' : printable(handler))
