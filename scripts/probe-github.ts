/**
 * `npm run probe:github`: asks GitHub how it behaves where its documentation does not say, and prints the answers.
 * `--local` asks the local GitHub of the tests the same questions, and `--compare` shows where two reports differ.
 * CONTRIBUTING.md describes the flags, and `--help` lists the steps. The probe deletes the webhooks and branches that it
 * created, also after a failure or Ctrl+C.
 */
import { constants } from 'node:os'
import { type Flags, helpText, readFlags, tokenFrom } from './probe-github/flags.ts'
import { startProbe, type Target } from './probe-github/probe.ts'
import { Redactor } from './probe-github/redactor.ts'
import { compare, describeComparison, describeReport } from './probe-github/report.ts'
import { type Report, runProbe } from './probe-github/run-probe.ts'

const redactor = new Redactor()
const interrupted = new AbortController()

/** More signals end the process at once. A Ctrl+C can send two, because npm passes on the signal of the terminal. */
const maxSignals = 2

async function ask(flags: Flags): Promise<Report> {
  if (!flags.local) {
    const { apiUrl, repository = '', receivers, oldAttempt } = flags
    return probe(flags, { apiUrl, repository, receivers, oldAttempt, token: tokenFrom(process.env) })
  }
  const { startLocal } = await import('./probe-github/local.ts')
  await using local = await startLocal(flags.repository)
  return await probe(flags, local.target)
}

async function probe({ steps, large, manifestAddress, maxWait }: Flags, target: Target): Promise<Report> {
  const more = { redactor, large, manifestAddress, maxWait, signal: interrupted.signal, progress: console.error }
  return runProbe(await startProbe({ ...target, ...more }), steps)
}

/** Ends the probe, which then deletes its webhooks. */
function handleSignals(): void {
  let signals = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      process.exitCode = 128 + constants.signals[signal]
      signals++
      if (signals > maxSignals) process.exit()
      if (interrupted.signal.aborted) return
      console.error(
        'Interrupted: deleting webhooks and branches. Interrupt again to leave them for the next run to delete.',
      )
      interrupted.abort()
    })
  }
}

/** Prints the report. @returns Whether all went well. */
function show(report: Report, { json, earlier }: Flags): boolean {
  const comparison = earlier && compare(earlier, report)
  if (json) console.log(JSON.stringify({ ...report, ...comparison }, null, 2))
  else {
    console.log(describeReport(report))
    if (earlier && comparison) console.log(`\n${describeComparison(earlier, comparison)}`)
  }
  const problems = [...report.results.filter(({ outcome }) => outcome === 'failed'), ...report.leftBehind]
  return problems.length === 0 && !comparison?.differences.length
}

async function main(): Promise<void> {
  let flags: Flags
  try {
    flags = readFlags(process.argv.slice(2))
    if (!flags.help && !flags.local) tokenFrom(process.env)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 2
    return
  }
  if (flags.help) return void process.stdout.write(helpText())
  handleSignals()
  try {
    if (!show(await ask(flags), flags)) process.exitCode ||= 1
  } catch (error) {
    if (!interrupted.signal.aborted) console.error(redactor.text((error as Error).message))
    process.exitCode ||= 1
  }
}

await main()
