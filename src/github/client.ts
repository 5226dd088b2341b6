import type { Octokit } from 'octokit'
import type { Delivery } from '../delivery.ts'
import { version } from '../runtime/platform.ts'
import type { Settings } from '../settings.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { untilAborted } from './aborting.ts'
import { asInstallation } from './authentication.ts'
import { InstallationTokens } from './installation-tokens.ts'
import { limitsOf } from './limits.ts'
import { loadOctokit } from './load-octokit.ts'

/** What an Octokit is made for. */
export interface Purpose {
  log: FullLogger
  signal: AbortSignal
}

/** One who speaks as the App, and the tokens of its installations. */
interface AppClient {
  octokit: Octokit
  tokens: InstallationTokens
}

/** Makes Octokits for one GitHub: with a token, as an App, or as an installation of it. */
export class GitHubClient {
  readonly #settings: Pick<Settings, 'apiUrl' | 'app' | 'token' | 'logger'>
  #app: Promise<AppClient> | undefined

  constructor(settings: Pick<Settings, 'apiUrl' | 'app' | 'token' | 'logger'>) {
    this.#settings = settings
  }

  /** One that may do what there is to be done for a delivery. @throws {Error} if nobody is there to speak for. */
  async octokitFor(delivery: Delivery): Promise<Octokit> {
    const { app, token } = this.#settings
    const { installationId } = delivery
    if (app && installationId !== undefined) return this.asInstallation(installationId, delivery)
    if (token !== undefined) return this.withToken(delivery)
    throw new Error(
      app
        ? 'delivery.octokit(): this delivery is from no installation of an App, so that the option "app" does not serve. For a webhook that is no App\'s give the option "token" too'
        : 'delivery.octokit() needs to know as whom to speak: give new Hooks() the option "app", { id, privateKey }, or the option "token"',
    )
  }

  /** By the option `token`, which must be there. */
  async withToken(purpose: Purpose): Promise<Octokit> {
    const { Octokit } = await loadOctokit()
    return heeding(purpose, new Octokit({ ...this.#optionsFor('token', purpose), auth: this.#settings.token }))
  }

  /** As an installation of the option `app`, which must be there. */
  async asInstallation(installation: number, purpose: Purpose): Promise<Octokit> {
    const [{ Octokit }, { tokens }] = await Promise.all([loadOctokit(), this.#appClient()])
    const options = this.#optionsFor(`installation ${installation}`, purpose)
    return heeding(purpose, new Octokit({ ...options, authStrategy: () => asInstallation(installation, tokens) }))
  }

  /** As the option `app` itself, which must be there: for what GitHub has under `/app`. */
  async asApp(): Promise<Octokit> {
    return (await this.#appClient()).octokit
  }

  #appClient(): Promise<AppClient> {
    this.#app ??= this.#makeApp()
    return this.#app
  }

  async #makeApp(): Promise<AppClient> {
    const { app, logger } = this.#settings
    if (!app) throw new Error('There is no App to speak for: give new Hooks() the option "app", { id, privateKey }')
    const { App, Octokit } = await loadOctokit()
    const options = this.#optionsFor(`app ${app.id}`, { log: logger, signal: new AbortController().signal })
    const { log } = options
    const made = new App({ appId: app.id, privateKey: app.privateKey, Octokit: Octokit.defaults(options), log })
    made.octokit.hook.error('request', (error) => {
      throw (error as { status?: unknown }).status === 401 ? refusal(app.id, error) : error
    })
    return { octokit: made.octokit, tokens: new InstallationTokens(made.octokit) }
  }

  /** @param who Those who are the same for GitHub share its limits. */
  #optionsFor(who: string, { log, signal }: Purpose) {
    const { apiUrl } = this.#settings
    const lines = linesTo(log)
    return {
      baseUrl: apiUrl,
      userAgent: `hookserver/${version}`,
      log: lines,
      request: { log: lines, signal: plainSignal(signal) },
      throttle: limitsOf(`${apiUrl} ${who}`, log, signal),
    }
  }
}

/** Lets go at once when the signal aborts, whatever Octokit is waiting for, and tells what was asked. */
function heeding({ log, signal }: Purpose, octokit: Octokit): Octokit {
  octokit.hook.wrap('request', async (request, options) => {
    const response = await untilAborted(signal, async () => request(options))
    log.debug({ status: response.status }, `${options.method} ${new URL(response.url).pathname}`)
    return response
  })
  return octokit
}

/** Octokit tries again what ended by a signal, unless the reason has the name that it has by default. */
function plainSignal(signal: AbortSignal): AbortSignal {
  const controller = new AbortController()
  if (signal.aborted) controller.abort()
  else signal.addEventListener('abort', () => controller.abort(), { once: true })
  return controller.signal
}

/** What Octokit has to say. Of what it says beside the text only errors are known to hold no token. */
function linesTo(log: FullLogger) {
  const write = (level: keyof FullLogger) => (text: string, more?: unknown) => {
    log[level](more instanceof Error ? { err: more } : {}, text)
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function refusal(id: number | string, cause: Error): Error {
  const text =
    `GitHub does not believe that this is the App ${id}: see that "id" and "privateKey" of the option "app" ` +
    `belong together, and that the key was not deleted (${cause.message})`
  return Object.assign(new Error(text, { cause }), { status: 401 })
}
