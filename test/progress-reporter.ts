import { DefaultReporter, type TestModule, type TestSpecification } from 'vitest/node'
import { estimateOf, type FileEstimate, writeEstimates } from './durations.ts'

/** Milliseconds between two updates of the line, on a terminal and elsewhere. */
const [terminalInterval, logInterval] = [200, 10_000]
const clearLine = '\r\x1b[K'

/**
 * Shows one line of progress, and the tests that fail. On a terminal, the line is updated in place; elsewhere, it is
 * printed again every ten seconds.
 */
export default class ProgressReporter extends DefaultReporter {
  readonly #modules = new Map<string, ModuleProgress>()
  #startedAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor() {
    super({ summary: false })
  }

  override onTestRunStart(specifications: readonly TestSpecification[]): void {
    super.onTestRunStart(specifications)
    this.#startedAt = performance.now()
    for (const { moduleId } of specifications) this.#modules.set(moduleId, new ModuleProgress(estimateOf(moduleId)))
    this.#timer = setInterval(() => this.#show(), this.isTTY ? terminalInterval : logInterval)
  }

  override onTestModuleCollected(module: TestModule): void {
    super.onTestModuleCollected(module)
    const progress = this.#modules.get(module.moduleId)
    if (progress) progress.tests = [...module.children.allTests()].length
  }

  override onTestCaseResult(test: Parameters<DefaultReporter['onTestCaseResult']>[0]): void {
    super.onTestCaseResult(test)
    const progress = this.#modules.get(test.module.moduleId)
    if (progress) progress.done++
  }

  override onTestModuleEnd(module: TestModule): void {
    super.onTestModuleEnd(module)
    this.#modules.get(module.moduleId)?.end()
  }

  override onTestRunEnd(...args: Parameters<DefaultReporter['onTestRunEnd']>): void {
    clearInterval(this.#timer)
    if (this.isTTY) process.stdout.write(clearLine)
    super.onTestRunEnd(...args)
    if (process.env.UPDATE_DURATIONS) writeEstimates(new Map(args[0].map((one) => [one.moduleId, measured(one)])))
  }

  /** Also called by the other methods. */
  override log(...messages: unknown[]): void {
    if (this.isTTY) process.stdout.write(clearLine)
    super.log(...messages)
  }

  protected override printTestModule(module: TestModule): void {
    if (module.state() === 'failed') super.printTestModule(module)
  }

  #show(): void {
    const line = progressLine([...this.#modules.values()], performance.now() - this.#startedAt)
    if (this.isTTY) process.stdout.write(clearLine + line)
    else super.log(line)
  }
}

/** The progress of one file. */
class ModuleProgress {
  tests: number
  done = 0
  readonly ms: number
  #hasEnded = false

  constructor({ tests, ms }: FileEstimate) {
    this.tests = tests
    this.ms = ms
  }

  end(): void {
    this.#hasEnded = true
    this.tests = this.done // some tests may have been skipped
  }

  /** The work that is done, in milliseconds. */
  get doneMs(): number {
    return this.#hasEnded ? this.ms : this.ms * Math.min(1, this.done / Math.max(1, this.tests))
  }
}

function measured(module: TestModule): FileEstimate {
  const { duration, setupDuration, collectDuration, prepareDuration } = module.diagnostic()
  const ms = Math.round(duration + setupDuration + collectDuration + prepareDuration)
  return { tests: [...module.children.allTests()].length, ms }
}

/** `1,234 of 6,990 tests, 1 min 20 s left`. The number of tests is an estimate until all files have been loaded. */
function progressLine(modules: readonly ModuleProgress[], elapsed: number): string {
  const sum = (value: (one: ModuleProgress) => number) => modules.reduce((total, one) => total + value(one), 0)
  const [done, tests] = [sum((one) => one.done), sum((one) => one.tests)]
  const [doneMs, ms] = [sum((one) => one.doneMs), sum((one) => one.ms)]
  const counts = `${done.toLocaleString('en')} of ${tests.toLocaleString('en')} tests`
  if (doneMs < ms / 50) return counts // too early for an estimate
  return `${counts}, ${formatSeconds((elapsed * (ms - doneMs)) / doneMs / 1000)} left`
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
