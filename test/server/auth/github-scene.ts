/** A local GitHub with the organization acme, an admin listener that trusts it, and browsers without a window. */
import { onTestFinished } from 'vitest'
import { parseGroup } from '../../../src/github/app/user-login.ts'
import type { Store } from '../../../src/inbox/inbox.ts'
import { LocalGitHub } from '../../../src/testing/index.ts'
import { formOf } from '../../testing/github/browser.ts'
import { type Admin, type Answered, fromPage, noToken, openAdmin } from '../administered.ts'

/** In acme, mona is in the team ops, lisa is in no team, and ada has only been invited. hubot is in another organization. */
export async function openGitHubScene({
  operators = 'acme/ops',
  viewers = 'acme',
  adminUrl,
  inbox,
}: {
  operators?: string
  viewers?: string
  adminUrl?: string
  inbox?: Store
} = {}) {
  const github = await LocalGitHub.start()
  onTestFinished(() => github.close())
  const callbackUrls = [`${adminUrl ?? 'http://127.0.0.1:8001'}/login/github/callback`]
  const app = github.addApp({ id: 7, callbackUrls, installations: [{ id: 9, account: 'acme' }] })
  github.addTeamMember('acme/ops', 'mona')
  github.addOrganizationMember('acme', 'lisa')
  github.addOrganizationMember('acme', 'ada', { pending: true })
  github.addOrganizationMember('other', 'hubot')
  const { clientId, clientSecret } = app
  const groupsIn = (text: string) => text.split(',').flatMap((name) => parseGroup(name) ?? [])
  const admin = await openAdmin({
    ...(adminUrl !== undefined && { adminUrl }),
    ...(inbox && { inbox }),
    github: {
      app: { clientId, clientSecret, github: github.webUrl, apiUrl: github.url },
      ...{ operators: groupsIn(operators), viewers: groupsIn(viewers) },
    },
  })
  return { github, app, admin, browser: (login: string) => new TestBrowser(github, admin, login) }
}

/** The headers of a navigation. */
const navigation = { ...noToken, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** A browser whose user is logged in on GitHub. It keeps the cookies of the admin listener. */
export class TestBrowser {
  readonly cookies = new Map<string, string>()
  readonly #github: LocalGitHub
  readonly #admin: Admin
  readonly #login: string

  constructor(github: LocalGitHub, admin: Admin, login: string) {
    this.#github = github
    this.#admin = admin
    this.#login = login
  }

  /** Clicks the button of the login page. @returns the address of GitHub to which the browser is sent. */
  async start(): Promise<string> {
    return this.#visit('/login/github', 'same-origin')
  }

  /** Authorizes the App on GitHub. @returns the address of the callback to which the browser is sent. */
  async authorize(address: string, authorize = '1'): Promise<string> {
    this.#github.signIn(this.#login)
    const page = await fetch(address, { redirect: 'manual' })
    const direct = page.headers.get('location')
    if (direct) return direct
    const { action, fields } = formOf(await page.text())
    const body = new URLSearchParams({ ...fields, authorize })
    const sent = await fetch(this.#github.webUrl + action, { method: 'POST', body, redirect: 'manual' })
    return sent.headers.get('location') ?? ''
  }

  /** Returns from GitHub. @returns the address of the dashboard to which the browser is sent. */
  finish(callback: string): Promise<string> {
    const { pathname, search } = new URL(callback)
    return this.#visit(pathname + search, 'cross-site')
  }

  /** Logs in. @returns the address of the dashboard to which the browser is sent. */
  async logIn(): Promise<string> {
    return this.finish(await this.authorize(await this.start()))
  }

  /** A request of the page of the dashboard. */
  async ask(path: string, method = 'GET', body?: unknown): Promise<Answered> {
    const { host } = this.#admin
    const headers = { ...fromPage(host, `http://${host}`), cookie: this.cookieHeader }
    return this.#keep(await this.#admin.ask(path, { method, headers, body }))
  }

  get cookieHeader(): string {
    return [...this.cookies].map((pair) => pair.join('=')).join('; ')
  }

  async #visit(path: string, site: string): Promise<string> {
    const headers = { ...navigation, 'sec-fetch-site': site, cookie: this.cookieHeader }
    const answered = this.#keep(await this.#admin.ask(path, { headers }))
    return answered.headers.location ?? `status ${answered.status}`
  }

  #keep(answered: Answered): Answered {
    for (const cookie of answered.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/Max-Age=0/.test(cookie)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answered
  }
}
