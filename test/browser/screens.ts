/** Every screen with hostile text, and the requirements that each screen meets. */
import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from '../../src/inbox/task-failure.ts'
import { Hooks, Retry } from '../../src/index.ts'
import { failed, fine, warning } from '../../src/runtime/finding.ts'
import { issue, pullRequest } from './payloads.ts'
import { openScene, readOnlyToken, reloadAt, rows, type Scene } from './scene.ts'

/** Texts that run a script in a page that reads them as markup, deceive the reader, or break the layout. */
export const hostile = {
  script: '<script>alert(1)</script><img src=x onerror="alert(2)">',
  bidi: 'invoice \u202Efdp.exe\u202C \u2066hidden\u2069',
  surrogate: 'half \ud800 an emoji',
  long: 'a'.repeat(100_000),
  address: 'javascript:alert(3)',
}

/** The failure group of the handler of `issues`. */
export const hostileGroup = failureOf({
  ...{ handler: hostile.script, outcome: 'dead', error: `Error: ${hostile.script}`, startedAt: 0 },
})?.id

/** A server whose deliveries contain all of these texts, and whose handlers and rejected requests contain some. */
export async function openHostileScene(): Promise<Scene> {
  const hooks = new Hooks({ secret: 'the server sets another secret', logger: false })
  hooks.on('issues', { name: hostile.script, attempts: 1 }, () => Promise.reject(new Error(hostile.script)))
  hooks.on('pull_request', { name: 'ci' }, () => Promise.reject(new Retry({ after: 3_600_000 })))
  hooks.on('push', { name: 'deploy' }, ({ log }) => {
    log.info({ said: hostile.bidi }, hostile.script)
    return hostile.script
  }) // biome-ignore format: keeps the handlers aligned
  const scene = await openScene(hooks, { readOnlyToken })
  const body = Object.entries(hostile)
  for (const [index, [, title]] of body.entries()) {
    const payload = issue(index + 1, title)
    Object.assign(payload.issue, { html_url: hostile.address, body: hostile, [hostile.script]: hostile.script })
    await scene.deliver('issues', { ...payload, sender: { login: hostile.bidi } })
  }
  await scene.deliver('pull_request', pullRequest(7, hostile.script))
  await scene.deliver('push', { ref: `refs/heads/${hostile.script}`, head_commit: { message: hostile.bidi } })
  await scene.deliver('star', {}, { headers: { 'x-github-event': '"><script>alert(4)</script>' } })
  const headers = { 'user-agent': hostile.script, 'x-github-event': hostile.script }
  await scene.watched.deliver('push', { secret: 'a wrong one', headers })
  await scene.settled()
  const handler = `handlers/${encodeURIComponent(hostile.script)}`
  for (const act of ['pause', 'resume']) await scene.ask(`${handler}/${act}`, {})
  return scene
}

/** An answer about the webhooks and the App, with these texts. */
const hostileStatus = {
  checkedAt: 1,
  webhooks: [
    {
      ...{ name: 'acme/shop#7', url: hostile.address, events: [hostile.script, 'push'] },
      findings: [
        failed('active', hostile.bidi, hostile.script),
        warning('content', hostile.script, hostile.long),
        fine('TLS', hostile.surrogate),
      ],
      newest: [
        { guid: hostile.script, deliveredAt: 1, event: hostile.script, action: 'a', status: hostile.bidi, ok: false },
        { guid: 'g', deliveredAt: 2, event: 'push', status: 'OK', ok: true },
      ],
    },
  ],
  app: {
    ...{ name: hostile.script, page: hostile.address, settings: 'https://github.com/settings/apps/bot' },
    ...{ permissions: { [hostile.script]: 'write' }, events: [], findings: [] },
    installations: [
      {
        ...{ id: '7', account: hostile.bidi, coversAll: true, permissions: { issues: 'read' }, events: [] },
        ...{ isSuspended: true, page: hostile.address },
      },
    ],
  },
  problems: [{ target: hostile.script, problem: hostile.long }],
}

const recovery = { canSweep: true, last: { at: 1 }, missedDeliveries: [{ deliveredAt: Date.now(), state: 'received' }] }

interface Screen {
  name: string
  place: string
  /** Brings the page to the state that the test checks. */
  ready: (page: Page) => Promise<unknown>
}

const screens: readonly Screen[] = [
  { name: 'list', place: '#/deliveries', ready: (page) => rows(page).first().waitFor() },
  {
    name: 'no match',
    place: '#/deliveries?q=state:running',
    ready: (page) => page.getByRole('heading', { name: 'No delivery matches' }).waitFor(),
  },
  { name: 'error', place: '#/deliveries?q=state:none', ready: (page) => page.getByRole('alert').first().waitFor() },
  {
    name: 'completion',
    place: '#/deliveries?q=',
    async ready(page) {
      await page.getByRole('combobox', { name: 'Search deliveries' }).fill('state:')
      await page.getByRole('option', { name: 'dead' }).first().waitFor()
    },
  },
  {
    name: 'many deliveries',
    place: '#/deliveries?q=event:issues',
    async ready(page) {
      await page.getByRole('button', { name: /^Discard all/ }).click()
      await page.getByRole('button', { name: /^Discard \d/ }).waitFor()
    },
  },
  {
    name: 'keyboard help',
    place: '#/deliveries?q=event:push',
    async ready(page) {
      await page.getByRole('button', { name: 'Keyboard help' }).click()
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    },
  },
  {
    name: 'histogram',
    place: '#/deliveries?q=since:1h',
    async ready(page) {
      await page.getByRole('button', { name: 'Table' }).click()
      await page.getByRole('slider', { name: 'Start' }).press('ArrowRight')
      await page.getByRole('button', { name: 'Show this range' }).waitFor()
    },
  },
  {
    name: 'commands',
    place: '#/deliveries?q=event:star',
    async ready(page) {
      await page.getByRole('button', { name: 'Commands' }).click()
      await page
        .getByRole('option', { name: /^Pause/ })
        .first()
        .waitFor()
    },
  },
  {
    name: 'saved searches',
    place: '#/deliveries?q=event:issues',
    async ready(page) {
      await page.getByRole('button', { name: /^Saved/ }).click()
      await page.getByRole('textbox', { name: 'Name of' }).fill(hostile.script)
      await page.getByRole('button', { name: /^(Save|Replace)$/ }).click()
      await page.getByRole('button', { name: /^Delete/ }).waitFor()
    },
  },
  {
    name: 'delivery beside the list',
    place: '#/deliveries?open=1',
    ready: (page) => page.getByRole('tree').waitFor(),
  },
  ...[1, 7, 8].map((id) => ({
    name: `delivery ${id}`,
    place: `#/deliveries/${id}`,
    ready: (page: Page) => page.getByRole('tree').or(page.getByText('The payload is empty')).waitFor(),
  })),
  {
    name: 'overview',
    place: '#/overview',
    ready: (page) => page.locator('canvas').first().waitFor(),
  },
  {
    name: 'failures',
    place: '#/failures',
    ready: (page) => page.getByRole('table', { name: 'Failure groups' }).waitFor(),
  },
  {
    name: 'a failure',
    place: `#/failures/${hostileGroup}`,
    ready: (page) => page.getByRole('heading', { name: 'Newest failure' }).waitFor(),
  },
  { name: 'no failures', place: '#/failures?handler=none', ready: (page) => page.getByText('No failures').waitFor() },
  { name: 'handlers', place: '#/handlers', ready: (page) => page.getByText('deploy').first().waitFor() },
  {
    name: 'a handler',
    place: `#/handlers/${encodeURIComponent(hostile.script)}`,
    ready: (page) => page.getByRole('img', { name: /^Duration of attempts/ }).waitFor(),
  },
  {
    name: 'no such handler',
    place: '#/handlers/none',
    ready: (page) => page.getByRole('heading', { name: 'There is no handler none' }).waitFor(),
  },
  {
    name: 'rejections',
    place: '#/rejections',
    async ready(page) {
      await page.locator('.request button').first().click()
      await page.getByText('user-agent').first().waitFor()
    },
  },
  {
    name: 'GitHub',
    place: '#/github',
    async ready(page) {
      await page.route('**/api/v1/github', (route) => route.fulfill({ json: { status: hostileStatus } }))
      await page.route('**/api/v1/recovery', (route) => route.fulfill({ json: recovery }))
      await page.reload()
      await page.getByRole('table', { name: 'Installations of the App' }).waitFor()
      await page.getByRole('img', { name: /^Missed deliveries per hour/ }).waitFor()
    },
  },
  {
    name: 'audit log',
    place: '#/audit',
    ready: (page) => page.getByRole('table').getByText('pause').first().waitFor(),
  },
  {
    name: 'send',
    place: '#/send?event=push',
    ready: (page) => page.getByRole('textbox').getByText('"ref"').first().waitFor(),
  },
  {
    name: 'edit',
    place: '#/send?from=1',
    ready: (page) => page.getByRole('textbox').getByText('"issue"').first().waitFor(),
  },
  {
    name: 'difference',
    place: '#/deliveries/1?compare=2',
    ready: (page) => page.getByRole('region', { name: 'Differences' }).waitFor(),
  },
  {
    name: 'unknown page',
    place: '#/nowhere',
    ready: (page) => page.getByRole('heading', { name: 'No such page' }).waitFor(),
  },
  {
    // The last one, because the page then gets no deliveries.
    name: 'first delivery',
    place: '#/deliveries',
    async ready(page) {
      const json = { deliveries: [], scanned: 0, left: 0 }
      await page.route('**/api/v1/deliveries?*', (route) => route.fulfill({ json }))
      await page.reload()
      await page.getByRole('region', { name: 'The last rejected request' }).waitFor()
    },
  },
]

interface Look {
  /** Width of the window in pixels. */
  width: number
  colorScheme: 'light' | 'dark'
  /**
   * The rules to check, beside the width of a screen and the size of its controls. A look that differs from another one
   * only in its layout or only in its colors needs only `layout` or `colors`. Default: `usual`.
   */
  rules?: keyof typeof rulesOf
}

interface Browsing {
  /** The window changes from one to the next while a screen is shown. */
  looks: readonly Look[]
  /** Whether the device has a touch screen. */
  hasTouch?: boolean
  /** Whether the user has chosen the colors of the system. */
  hasForcedColors?: boolean
  /** The names of the screens to test. Default: all. */
  only?: readonly string[]
}

/** Tests that every screen is accessible and fits the window, in each of these looks. */
export function testScreens(browsing: Browsing, scene: () => Scene): void {
  const { looks, hasTouch = false, hasForcedColors = false, only } = browsing
  const shown = screens.filter(({ name }) => only?.includes(name) ?? true)
  const device = `${hasTouch ? 'with' : 'without'} touch${hasForcedColors ? ', in forced colors' : ''}`

  describe(device, () => {
    let page: Page
    beforeAll(async () => {
      page = await scene().open('#/deliveries', { hasTouch, forcedColors: hasForcedColors ? 'active' : 'none' })
      return () => page.context().close()
    })

    describe.each(shown)('$name', (screen) => {
      beforeAll(async () => {
        await change(page, looks[0] as Look)
        await show(page, screen)
      })

      test.each(looks)('is accessible, and fits $width px, $colorScheme', async (look) => {
        await change(page, look)
        await checkWidth(page)
        if (hasTouch) await checkTargets(page)
        // Evaluated by the debugger, because the page's Content-Security-Policy would block a script element.
        if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe.source)
        const { still, hovered } = rulesOf[look.rules ?? 'usual']
        await checkRules(page, still)
        if (hovered.length > 0) await checkHovered(page, hovered)
      })
    })
  })
}

/** Height of the window in pixels. */
const height = 900

async function change(page: Page, { width, colorScheme }: Look): Promise<void> {
  await page.setViewportSize({ width, height })
  await page.emulateMedia({ colorScheme })
}

/** Opens the screen from any page. */
async function show(page: Page, { place, ready }: Screen): Promise<void> {
  await reloadAt(page, place)
  await ready(page)
}

/** The rules of WCAG 2.2 AA that a program can check, and the best practices of axe-core. */
const allRules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const contrast = ['color-contrast']

/** The rules for a screen, and the rules while the mouse is over every control and row and each has the focus. */
const rulesOf = {
  usual: { still: allRules, hovered: contrast },
  layout: { still: allRules, hovered: [] },
  colors: { still: contrast, hovered: contrast },
  all: { still: allRules, hovered: allRules },
}

/** Checks rules while the mouse is over every control and row, and each has the focus. */
async function checkHovered(page: Page, rules: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('DOM.enable')
  await session.send('CSS.enable')
  const { root } = await session.send('DOM.getDocument')
  // The button that skips the navigation would cover the brand, which has no focus at the same time.
  const selector = 'a, button:not(.skip), input, select, summary, tr, [role=treeitem], [role=option]'
  const { nodeIds } = await session.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector })
  const forcedPseudoClasses = ['hover', 'focus', 'focus-visible']
  for (const nodeId of nodeIds) await session.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses })
  try {
    await checkRules(page, rules)
  } finally {
    await session.detach() // ends the forced states
  }
}

async function checkRules(page: Page, runOnly: readonly string[]): Promise<void> {
  // With `resultTypes`, axe-core does not describe the elements that passed, which takes half of its time.
  const options = JSON.stringify({ runOnly, resultTypes: ['violations'] })
  const violations = await page.evaluate<AxeResults['violations']>(`axe.run(${options}).then((all) => all.violations)`)
  const told = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) }))
  expect(told).toEqual([])
}

/** Checks that the controls are large enough for a finger. */
async function checkTargets(page: Page): Promise<void> {
  expect(await page.evaluate(smallTargets)).toEqual([])
}

/**
 * The controls that are smaller than 44 pixels. A link in a sentence may be small, and so may a control that only screen
 * readers see. The label of a checkbox is a part of its target, and so is the row of a control that covers it.
 */
const smallTargets = `
  [...document.querySelectorAll('a:not(p a), button, select, input, summary, [role=option], [role=treeitem]')]
    .filter((control) => control.checkVisibility({ visibilityProperty: true }))
    .filter((control) => {
      for (let one = control; one; one = one.parentElement) if (getComputedStyle(one).clipPath !== 'none') return false
      return true
    })
    .filter((control) => {
      const isRow = getComputedStyle(control, '::after').position === 'absolute'
      const target = (isRow ? control.closest('tr') : control.closest('label:has([type=checkbox])')) ?? control
      const { width, height } = target.getBoundingClientRect()
      return Math.min(width, height) < 43.5
    })
    .map((control) => control.outerHTML.slice(0, 120))`

/** Checks that nothing is wider than the window. */
async function checkWidth(page: Page): Promise<void> {
  const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  expect(wider).toBeLessThanOrEqual(0)
}
