import type { Command } from 'commander'
import type { Operator } from './operator.ts'
import { printable, printLines } from './printing.ts'
import { addWhereabouts, type Whereabouts, withOperator } from './whereabouts.ts'

/** How an inbox calls all handlers at once. */
const all = '*'

export function addPause(program: Command): void {
  const pause = program
    .command('pause [handler]')
    .summary('keep handlers from being begun')
    .description(
      'Keeps a handler from being begun, or all of them: in every process, over restarts, until it is resumed. ' +
        'Deliveries are received and stored meanwhile, and what has begun is brought to its end.',
    )
  addWhereabouts(pause).addHelpText('after', pauseExamples)
  pause.action((handler: string | undefined, flags: Whereabouts) => {
    return withOperator(flags, async (operator) => {
      await operator.pause(handler ?? all)
      await report(operator, `Paused ${nameOf(handler ?? all)}.`)
      if (handler !== undefined) await warnOfStranger(operator, handler)
    })
  })
  const resume = program
    .command('resume [handler]')
    .summary('let handlers be begun again')
    .description('Takes back what "pause" did. A handler that was paused by its name has to be resumed by its name.')
  addWhereabouts(resume).addHelpText('after', resumeExamples)
  resume.action((handler: string | undefined, flags: Whereabouts) => {
    return withOperator(flags, async (operator) => {
      const { paused } = await operator.overview()
      await operator.resume(handler ?? all)
      const was = paused.includes(handler ?? all)
      await report(operator, was ? `Resumed ${nameOf(handler ?? all)}.` : `${nameOf(handler ?? all)}: not paused.`)
    })
  })
}

const pauseExamples = `
Examples:
  hookserver pause                        all handlers
  hookserver pause hook:issues.opened     one of them, by its name as "deliveries show" has it`

const resumeExamples = `
Examples:
  hookserver resume                       after "hookserver pause"
  hookserver resume hook:issues.opened    after "hookserver pause hook:issues.opened"`

async function report(operator: Operator, done: string): Promise<void> {
  const { paused } = await operator.overview()
  const still = paused.length === 0 ? 'Nothing is paused now.' : `Paused now: ${paused.map(nameOf).join(', ')}.`
  await printLines([done, still])
}

/** A name may be misspelt, or be that of a handler which is yet to come. */
async function warnOfStranger(operator: Operator, handler: string): Promise<void> {
  const { deliveries, next } = await operator.list({ handler, limit: 1 })
  if (deliveries.length > 0 || next !== undefined) return
  console.error(`No delivery has been handed to ${nameOf(handler)} so far: is that its name?`)
}

const nameOf = (handler: string): string => (handler === all ? 'all handlers' : printable(handler))
