import { join } from 'node:path'
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'
import type { Served } from '../../scripts/served.ts'

/** A delay in the page: its start, counted from the opening of the page, and its length, both in milliseconds. */
export interface Delay {
  at: number
  ms: number
}

/** What happened since the page was opened. */
export interface Lived {
  /** Times when the event loop was blocked for more than 50 ms. */
  tasks: Delay[]
  /** Gaps of more than 100 ms between two frames. */
  gaps: Delay[]
  /** When the top row of the list changed, in milliseconds since the page was opened. */
  news: number[]
  now: number
}

export interface Memory {
  /** Bytes of the JavaScript heap in use after a garbage collection. */
  heap: number
  nodes: number
}

/** A logged-in user, whose browser has an empty cache at first. */
export class Visitor {
  readonly page: Page
  readonly #context: BrowserContext
  readonly #devtools: CDPSession
  readonly #url: string
  /** When our own memory measurements blocked the page. */
  readonly #ours: [from: number, to: number][] = []

  private constructor(page: Page, devtools: CDPSession, url: string) {
    this.page = page
    this.#context = page.context()
    this.#devtools = devtools
    this.#url = url
  }

  static async come(browser: Browser, { adminUrl, token }: Served): Promise<Visitor> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    await context.request.post(`${adminUrl}/api/v1/session`, { data: { token } })
    await context.addInitScript({ path: join(import.meta.dirname, 'in-page.js') })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const devtools = await context.newCDPSession(page)
    await devtools.send('Performance.enable')
    return new Visitor(page, devtools, adminUrl)
  }

  /** Loads the page anew, at a route. @returns milliseconds until the expected content was painted. */
  async open(place: string, isThere: string): Promise<number> {
    await this.page.goto('about:blank')
    await this.page.goto(`${this.#url}/${place}`, { waitUntil: 'commit' })
    return this.page.evaluate(`measured.paintedOnce(() => ${isThere})`)
  }

  /** Milliseconds from an action, as JavaScript in the page, until its result is painted. */
  timeOf(act: string, isThere: string): Promise<number> {
    return this.page.evaluate(`(() => {
      const before = measured.shown()[0]
      return measured.timeOf(() => { ${act} }, () => ${isThere})
    })()`)
  }

  /** The id and the state in each row of the list. */
  async shown(): Promise<string[]> {
    const rows = await this.page.evaluate<{ ids: number[]; states: string[] }>(
      '({ ids: measured.shown(), states: measured.states() })',
    )
    return rows.ids.map((id, index) => `${id} ${rows.states[index]}`)
  }

  /** What happened since the page was opened, without the delays that our own memory measurements caused. */
  async lived(): Promise<Lived> {
    const all = await this.page.evaluate<Lived>(
      '({ tasks: measured.tasks, gaps: measured.gaps, news: measured.news, now: performance.now() })',
    )
    const isTheirs = ({ at, ms }: Delay) => !this.#ours.some(([from, to]) => at < to && at + ms > from)
    return { ...all, tasks: all.tasks.filter(isTheirs), gaps: all.gaps.filter(isTheirs) }
  }

  async memory(): Promise<Memory> {
    const from = await this.page.evaluate<number>('performance.now()')
    await this.#devtools.send('HeapProfiler.collectGarbage')
    const { metrics } = await this.#devtools.send('Performance.getMetrics')
    this.#ours.push([from, await this.page.evaluate<number>('performance.now() + 20')])
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return { heap: of('JSHeapUsedSize'), nodes: of('Nodes') }
  }

  leave(): Promise<void> {
    return this.#context.close()
  }
}
