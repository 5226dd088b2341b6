/**
 * Checks the built site: every link and anchor, what readers do in Chromium, the width of every page on a phone, and the
 * accessibility of the pages in light and dark.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { Hooks } from '../src/hooks.ts'
import { launch } from '../test/browser/chromium.ts'
import { root } from './sources.ts'
import { serveFolder } from './static-server.ts'

/** CSS pixels of a phone. */
const phone = { width: 390, height: 844 }
/** Pages that are measured on a phone at a time. */
const tabs = 4
/** Generated pages, which are built from the same parts. axe-core takes seconds for a page, and checks the class `Hooks` only. */
const alike = /^(?:reference\/library\/(?!hookserver\/classes\/Hooks)|examples|deploy|templates)/
/** The first column of a table that compares products has no name. */
const rules = "{ rules: { 'empty-table-header': { enabled: false } } }"
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core')), 'utf8')

export async function checkSite(dist: string, base: string): Promise<void> {
  const pages = globSync('**/*.html', { cwd: dist }).filter((page) => page !== '404.html')
  const links = checkLinks(dist, base, pages)
  checkLlms(dist)
  checkMarkup(dist, pages)
  const served = await serveFolder(dist, base)
  const browser = await launch()
  try {
    await checkSearch(browser, served.url)
    const methods = await checkMethods(browser, served.url)
    await checkVersion(browser, served.url)
    await checkEachPage(browser, served.url, pages)
    console.log(`docs: ${pages.length} pages, ${links} links, ${methods} members of Hooks`)
  } finally {
    await browser.close()
    served.close()
  }
}

/** VitePress checks that linked pages exist, but not their anchors. @returns the number of links. */
function checkLinks(dist: string, base: string, pages: readonly string[]): number {
  const anchors = new Map(pages.map((page) => [page, anchorsIn(readFileSync(join(dist, page), 'utf8'))]))
  const dead: string[] = []
  let count = 0
  for (const page of pages) {
    const html = readFileSync(join(dist, page), 'utf8')
    for (const [, href = ''] of html.matchAll(/<a [^>]*?href="(?![a-z]+:)([^"]+)"/g)) {
      count++
      const { pathname, hash } = new URL(href.replaceAll('&amp;', '&'), `http://site${base}${page}`)
      const path = decodeURIComponent(pathname.slice(base.length))
      const target = path === '' || path.endsWith('/') ? posix.join(path, 'index.html') : path
      const ids = anchors.get(target)
      const exists = hash === '' ? ids !== undefined : ids?.has(decodeURIComponent(hash.slice(1)))
      if (!exists) dead.push(`${page} -> ${href}`)
    }
  }
  assert.deepEqual(dead, [], 'dead links')
  return count
}

const anchorsIn = (html: string): Set<string> => new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id))

/** Each page that `llms.txt` names exists as Markdown. */
function checkLlms(dist: string): void {
  const named = [...readFileSync(join(dist, 'llms.txt'), 'utf8').matchAll(/\]\(([^)]+)\)/g)].map(
    ([, path = '']) => path,
  )
  assert.ok(named.length > 50, `llms.txt names ${named.length} pages`)
  assert.deepEqual(
    named.filter((path) => !existsSync(join(dist, path))),
    [],
    'missing pages of llms.txt',
  )
}

/**
 * Every page has a title and a description of its own, a language for search engines, and one main heading. Every image has
 * a text, which is empty for the logo beside the name.
 */
function checkMarkup(dist: string, pages: readonly string[]): void {
  const heads = pages.map((page) => {
    const html = readFileSync(join(dist, page), 'utf8')
    assert.match(html, /<html lang="en-US"/, page)
    assert.equal(html.match(/<h1[ >]/g)?.length, 1, `main headings of ${page}`)
    for (const [image] of html.matchAll(/<img [^>]*>/g)) assert.match(image, / alt="[^"]+"|class="VPImage logo"/, page)
    const [, title = ''] = /<title>([^<]+)<\/title>/.exec(html) ?? []
    const [, description = ''] = /<meta name="description" content="([^"]+)">/.exec(html) ?? []
    return { page, title, description }
  })
  const start = heads.find(({ page }) => page === 'index.html')
  for (const { page, title, description } of heads) {
    const same = heads.filter((other) => other.title === title).map((other) => other.page)
    assert.deepEqual(same, [page], 'pages with the same title')
    const isOwn = description !== '' && (page === start?.page || description !== start?.description)
    assert.ok(isOwn, `the description of ${page}: ${description}`)
  }
}

/** A page that reports errors of the console and requests to other hosts. */
async function openPage(browser: Browser, url: string, viewport = { width: 1280, height: 800 }): Promise<Page> {
  const page = await browser.newPage({ viewport })
  page.on('console', (message) => assert.notEqual(message.type(), 'error', `${page.url()}: ${message.text()}`))
  page.on('pageerror', (error) => assert.fail(`${page.url()}: ${error}`))
  page.on('request', (request) => {
    const requested = request.url()
    assert.ok(/^(data|blob):/.test(requested) || requested.startsWith(url), `${page.url()} requests ${requested}`)
  })
  return page
}

/** A search for how to replay a delivery finds it among the first results. */
async function checkSearch(browser: Browser, url: string): Promise<void> {
  const page = await openPage(browser, url)
  await page.goto(url)
  await page.getByRole('button', { name: 'Search' }).first().click()
  const results = page.locator('.VPLocalSearchBox .result')
  for (const question of ['replay', 'how do I replay', 'how do I replay a delivery']) {
    await page.locator('.VPLocalSearchBox input').fill('')
    await results.first().waitFor({ state: 'detached' })
    await page.locator('.VPLocalSearchBox input').fill(question)
    await results.first().waitFor()
    const found = await results.evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''))
    const first = found.slice(0, 3)
    const answers = /\/cookbook\/replay\.html/
    assert.ok(
      first.some((href) => answers.test(href)),
      `a search for "${question}" finds first ${first.join(' ')}`,
    )
  }
  await page.close()
}

/** The start page links to the class `Hooks`, whose outline links to each member. */
async function checkMethods(browser: Browser, url: string): Promise<number> {
  const members = Object.getOwnPropertyNames(Hooks.prototype).filter((name) => name !== 'constructor')
  const page = await openPage(browser, url)
  await page.goto(url)
  await page.getByRole('link', { name: 'Class Hooks' }).first().click()
  for (const name of members) {
    const link = page.locator('.VPDocAsideOutline').getByRole('link', { name: new RegExp(`^${name}(\\(\\))?$`) })
    await link.first().click()
    assert.equal(new URL(page.url()).hash.toLowerCase(), `#${name.toLowerCase()}`)
  }
  await page.close()
  return members.length
}

/** The navigation names the version, and links to the changelog. */
async function checkVersion(browser: Browser, url: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const page = await openPage(browser, url)
  await page.goto(url)
  await page.getByRole('button', { name: version, exact: true }).hover()
  await page.locator('.VPNav').getByRole('link', { name: 'Changelog' }).click()
  await page.getByRole('heading', { level: 1, name: 'Changelog' }).waitFor()
  await page.close()
}

interface Violation {
  id: string
  nodes: readonly { target: readonly string[] }[]
}

/** No page is wider than the screen of a phone, and axe-core finds no problem, in light and dark. */
async function checkEachPage(browser: Browser, url: string, pages: readonly string[]): Promise<void> {
  const problems: string[] = []
  const rest = [...pages]
  const visit = async (): Promise<void> => {
    const page = await openPage(browser, url, phone)
    await page.addInitScript(axe)
    for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
      await page.goto(`${url}${path}`)
      const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
      if (width > phone.width) problems.push(`${path}: ${width} px wide`)
      if (alike.test(path)) continue
      // Colors change gradually when the theme changes. axe-core must see the last ones.
      await page.addStyleTag({ content: '* { transition: none !important }' })
      await findViolations(page, `${path}, light`, rules, problems)
      await page.evaluate("document.documentElement.classList.add('dark')")
      await findViolations(page, `${path}, dark`, "{ runOnly: ['color-contrast'] }", problems)
    }
    await page.close()
  }
  await Promise.all(Array.from({ length: tabs }, visit))
  assert.deepEqual(problems, [])
}

async function findViolations(page: Page, name: string, options: string, problems: string[]): Promise<void> {
  const { violations } = (await page.evaluate(`axe.run(document, ${options})`)) as { violations: Violation[] }
  for (const { id, nodes } of violations) {
    const places = nodes.slice(0, 3).map(({ target }) => target.join(' '))
    problems.push(`${name}: ${id}: ${nodes.length} of ${places.join(', ')}`)
  }
}
