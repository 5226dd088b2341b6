import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type AppManifest, editManifest, registrationPage } from '../../github/app/manifest.ts'
import { areEqual } from '../../server/auth/equal-texts.ts'
import { addressOf, listen, onClose } from '../../server/listener.ts'
import { formPage, messagePage, offeredIn, openingPage, submissionPage } from './pages.ts'

export interface RegistrationOptions {
  /** The address of GitHub's pages. */
  github: string
  /** The organization that will own the App. Default: the user of the browser. */
  organization: string | undefined
  /** @param redirectUrl The address to which GitHub sends the browser afterwards. */
  manifest(redirectUrl: string): AppManifest
  notes: readonly string[]
  /** Whether to send the browser to GitHub without showing the form. */
  skipsForm: boolean
  /**
   * Exchanges the code that GitHub's redirect contains, and keeps the result.
   * @returns The address to send the browser to. @throws {Error} whose message the browser may show.
   */
  register(code: string): Promise<string>
  /** Reports a redirect whose state is missing or wrong. */
  onRejected(reason: string): void
}

/** The maximum bytes of the form: a name, a description, and a field for each permission and event. */
const maxForm = 64 * 1024

/**
 * The loopback server of one registration:
 *
 *     waiting --GitHub's redirect with the right state--> registering --> registered
 *     registering --register() throws--> failed
 *
 * Only `waiting` accepts a code, so a second redirect changes nothing. A redirect with a wrong state changes nothing
 * either, because any page in the browser can send one.
 *
 * Every address begins with a random path. Other users of the machine can find the port, but without the path they get
 * neither the form nor the state, so they cannot register an App of their own here.
 */
export class RegistrationServer {
  /**
   * Settles when the browser has the answer. Resolves if the App is registered, and rejects with the error of
   * `register()`.
   */
  readonly ended: Promise<void>
  readonly #options: RegistrationOptions
  readonly #state = randomBytes(32).toString('base64url')
  readonly #path = `/${randomBytes(32).toString('base64url')}`
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  #phase: 'waiting' | 'registering' | 'registered' | 'failed' = 'waiting'
  #server: Server | undefined
  /** Scheme, host and port. */
  #origin = ''

  private constructor(options: RegistrationOptions) {
    this.#options = options
    this.ended = this.#end.promise
    this.ended.catch(() => {}) // prevents an unhandled rejection if it rejects before the command waits for it
  }

  static async start(options: RegistrationOptions): Promise<RegistrationServer> {
    const registration = new RegistrationServer(options)
    // User code runs in this process later, so the adapter must not replace the global Request and Response.
    const listener = getRequestListener(registration.#routes().fetch, { overrideGlobalObjects: false })
    const server = await listen(listener, { host: '127.0.0.1', port: 0, flag: 'port' })
    registration.#server = server
    registration.#origin = addressOf(server)
    return registration
  }

  /** The address of the form. It is a secret: a program that knows it can register an App. */
  get address(): string {
    return `${this.#origin}${this.#path}/`
  }

  /** The text of a file that sends the browser to the form. It contains the address. */
  openingPage(): Promise<string> {
    return openingPage(this.address)
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve))
    this.#server?.closeAllConnections()
    await closed
  }

  #routes(): Hono {
    const app = new Hono()
    app.use((context, next) => this.#protect(context, next))
    app.get(`${this.#path}/`, (context) => {
      if (this.#phase !== 'waiting') return this.#over(context)
      return this.#options.skipsForm ? this.#submission(context, this.#manifest()) : this.#form(context)
    })
    const tooLarge = bodyLimit({ maxSize: maxForm, onError: (context) => this.#message(context, 413, 'Too large') })
    app.post(`${this.#path}/manifest`, this.#ownPage, tooLarge, async (context) => {
      if (this.#phase !== 'waiting') return this.#over(context)
      const form = new URLSearchParams(await context.req.text())
      const { manifest, problems } = editManifest(this.#manifest(), form, offeredIn(this.#manifest()))
      return problems.length > 0 ? this.#form(context, manifest, problems) : this.#submission(context, manifest)
    })
    app.get(`${this.#path}/registered`, (context) => this.#redirected(context))
    app.notFound((context) => this.#message(context, 404, notFoundText))
    app.onError((error, context) => this.#message(context, 500, error.message))
    return app
  }

  readonly #manifest = (): AppManifest => this.#options.manifest(`${this.address}registered`)

  /**
   * Serves only our own path, and only our own Host, because an attacker can make another name resolve to this machine
   * (DNS rebinding). The path is checked first, because the answer to a wrong Host contains it.
   */
  async #protect(context: Context, next: () => Promise<void>): Promise<Response | undefined> {
    context.set(nonceKey, randomBytes(16).toString('base64'))
    context.header('cache-control', 'no-store')
    context.header('content-security-policy', policy(nonceOf(context), "'self'"))
    context.header('referrer-policy', 'same-origin') // with no-referrer, browsers hide the origin of our own form
    context.header('x-content-type-options', 'nosniff')
    context.header('x-frame-options', 'DENY')
    const [, path = ''] = context.req.path.split('/')
    if (!areEqual(`/${path}`, this.#path)) return this.#message(context, 404, notFoundText)
    if (`http://${context.req.header('host')}` !== this.#origin) {
      return this.#message(context, 403, `Open ${this.address} on this machine`)
    }
    await next()
    return undefined
  }

  /** For the form: a page of another site must not submit it. */
  readonly #ownPage: MiddlewareHandler = async (context, next) => {
    const [origin, site] = [context.req.header('origin'), context.req.header('sec-fetch-site')]
    if (origin === this.#origin && (site === undefined || site === 'same-origin')) return next()
    return this.#message(context, 403, 'Requests from pages of other sites are not allowed')
  }

  async #form(context: Context, manifest = this.#manifest(), problems: readonly string[] = []): Promise<Response> {
    const { organization, notes } = this.#options
    const owner = organization ?? 'your account'
    const body = await formPage({ nonce: nonceOf(context), manifest, owner, notes, problems })
    return context.html(body, problems.length > 0 ? 422 : 200)
  }

  async #submission(context: Context, manifest: AppManifest): Promise<Response> {
    const { github, organization } = this.#options
    // Any https address is allowed, because GitHub may redirect the form to the identity provider of an enterprise, and
    // browsers check the address of the redirect too.
    context.header('content-security-policy', policy(nonceOf(context), `${github} https:`))
    const action = registrationPage(github, organization, this.#state)
    return context.html(await submissionPage({ nonce: nonceOf(context) }, action, manifest))
  }

  async #redirected(context: Context): Promise<Response> {
    const { code, state } = context.req.query()
    if (!state || !areEqual(state, this.#state)) {
      const reason = state ? 'The state is wrong' : 'The state is missing'
      this.#options.onRejected(`${reason}: this redirect does not belong to this registration, and was ignored`)
      return this.#message(context, 400, `${reason}. No App was registered. Start again at ${this.address}`)
    }
    if (!code) return this.#message(context, 400, `GitHub sent no code. Start again at ${this.address}`)
    if (this.#phase !== 'waiting') return this.#over(context)
    this.#phase = 'registering'
    const { outgoing } = context.env as HttpBindings // the command goes on once the browser has the answer
    try {
      const next = await this.#options.register(code)
      this.#phase = 'registered'
      onClose(outgoing, this.#end.resolve)
      return context.redirect(next, 303)
    } catch (error) {
      this.#phase = 'failed'
      onClose(outgoing, () => this.#end.reject(error))
      return this.#message(context, 502, (error as Error).message)
    }
  }

  #over(context: Context): Promise<Response> {
    const texts = {
      waiting: '',
      registering: 'The App is being registered',
      registered: 'This App is registered already. The command line shows how to go on',
      failed: 'This registration has failed. The command line shows how to go on',
    }
    return this.#message(context, 409, texts[this.#phase])
  }

  async #message(context: Context, status: 400 | 403 | 404 | 409 | 413 | 500 | 502, text: string): Promise<Response> {
    return context.html(await messagePage({ nonce: nonceOf(context) }, 'hookserver app create', text), status)
  }
}

const notFoundText = 'There is no such page. Open the address that the command has printed'

const nonceKey = 'nonce'
const nonceOf = (context: Context): string => context.get(nonceKey) as string

const policy = (nonce: string, formTargets: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    `form-action ${formTargets}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
