import type { Command } from 'commander'
import type { AdminClient } from './admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, withClient } from './flags.ts'
import { printable, printLines } from './output.ts'

/** How an inbox names all handlers. */
const all = '*'

export function addPause(program: Command): void {
  const pause = program
    .command('pause [handler]')
    .summary('Pause a handler, or all handlers')
    .description(
      'Pauses a handler, or all handlers, in every process until it is resumed, also over restarts. ' +
        'Deliveries are still received and stored, and running attempts finish.',
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
    .description('Undoes "pause". A handler that was paused by its name must be resumed by its name.')
  addConnectionFlags(resume).addHelpText('after', resumeExamples)
  resume.action((handler: string = all, flags: ConnectionFlags) => {
    return withClient(flags, async (client) => {
      const { paused } = await client.overview()
      await client.resume(handler)
      const name = nameOf(handler)
      await report(client, paused.includes(handler) ? `Resumed ${name}.` : `${name}: not paused.`)
    })
  })
}

const pauseExamples = `
Examples:
  hookserver pause                        all handlers
  hookserver pause hook:issues.opened     one handler, by its name in "deliveries show"`

const resumeExamples = `
Examples:
  hookserver resume                       after "hookserver pause"
  hookserver resume hook:issues.opened    after "hookserver pause hook:issues.opened"`

async function report(client: AdminClient, change: string): Promise<void> {
  const { paused } = await client.overview()
  const now = paused.length === 0 ? 'Nothing is paused now.' : `Paused now: ${paused.map(nameOf).join(', ')}.`
  await printLines([change, now])
}

/** The name may be misspelt, or belong to a handler that is not deployed yet. */
async function warnIfUnknown(client: AdminClient, handler: string): Promise<void> {
  const { deliveries, next } = await client.list({ handler, limit: 1 })
  if (deliveries.length > 0 || next !== undefined) return
  console.error(`${nameOf(handler)} has handled no delivery so far: check its name.`)
}

const nameOf = (handler: string): string => (handler === all ? 'all handlers' : printable(handler))
