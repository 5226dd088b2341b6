/** Checks the built site: every link and anchor, and what readers do in Chromium, on a phone and a desktop. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { Hooks } from '../src/hooks.ts'
import { launch } from '../test/browser/chromium.ts'
import { serveFolder } from './static-server.ts'

/** CSS pixels of a phone. */
const phone = { width: 390, height: 844 }
/** Pages that are measured on a phone at a time. */
const tabs = 4

export async function checkSite(dist: string, base: string): Promise<void> {
  const pages = globSync('**/*.html', { cwd: dist }).filter((page) => page !== '404.html')
  const links = checkLinks(dist, base, pages)
  const served = await serveFolder(dist, base)
  const browser = await launch()
  try {
    await checkSearch(browser, served.url)
    const methods = await checkMethods(browser, served.url)
    await checkOnPhone(browser, served.url, pages)
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

/** A search for "replay" finds how to replay a delivery. */
async function checkSearch(browser: Browser, url: string): Promise<void> {
  const page = await openPage(browser, url)
  await page.goto(url)
  await page.getByRole('button', { name: 'Search' }).first().click()
  await page.locator('.VPLocalSearchBox input').fill('replay')
  const results = page.locator('.VPLocalSearchBox .result')
  await results.first().waitFor()
  const found = await results.evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''))
  assert.ok(
    found.some((href) => href.endsWith('/guides/retries.html#retry-and-discard')),
    `a search for "replay" finds ${found.join(' ')}`,
  )
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

/** No page is wider than the screen of a phone. */
async function checkOnPhone(browser: Browser, url: string, pages: readonly string[]): Promise<void> {
  const wide: string[] = []
  const rest = [...pages]
  const measure = async (): Promise<void> => {
    const page = await openPage(browser, url, phone)
    for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
      await page.goto(`${url}${path}`)
      const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
      if (width > phone.width) wide.push(`${path}: ${width} px`)
    }
    await page.close()
  }
  await Promise.all(Array.from({ length: tabs }, measure))
  assert.deepEqual(wide, [], `pages wider than ${phone.width} px`)
}
