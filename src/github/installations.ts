import { fail, isWhole } from '../runtime/check-options.ts'
import { isId, isObject, textIn } from '../runtime/json.ts'
import { hour, minute } from '../runtime/units.ts'
import type { ScheduleTarget } from '../schedules/scheduled-delivery.ts'
import { parseAnswer } from './answer.ts'
import { listItems, type RequestError, type Requester } from './requester.ts'
import { parseTarget } from './target.ts'
import type { InstallationSource } from './tokens.ts'

/** The target of an Octokit outside a delivery: an installation, by its id or by a repository or account. */
export type OctokitTarget =
  | { installation: string | number }
  | { repository: string }
  | { organization: string }
  | { user: string }

/**
 * An installation of the App, as `GET /app/installations` describes it, but with ids as text:
 * https://docs.github.com/rest/apps/apps#list-installations-for-the-authenticated-app
 */
export interface Installation {
  id: string
  /** An organization or a user has a `login`, an enterprise a `slug`. */
  account: { login?: string; slug?: string } | null
  /** `Organization`, `User` or `Enterprise`. */
  target_type: string
  repository_selection: 'all' | 'selected'
  /** The levels by permission: `{ issues: 'write' }`. */
  permissions: object
  events: readonly string[]
  /** The page with the settings of the installation. */
  html_url: string
  suspended_at: string | null
}

/**
 * Milliseconds for which the id of an installation is used before it is looked up again, because a repository may get
 * another owner.
 */
const maxAge = hour

/** A younger id is not looked up again if GitHub denies a request, so that requests for missing objects cause few lookups. */
const minAge = minute

/**
 * Finds the installations of an App. Calls for the same repository or account within `maxAge` share one request, unless
 * the request fails.
 */
export class Installations {
  readonly #app: Requester
  /** The ids by the path of the repository or account, ordered by the time at which they expire. */
  readonly #ids = new Map<string, { id: Promise<string>; expiresAt: number }>()

  /** @param app Authenticates as the App itself. */
  constructor(app: Requester) {
    this.#app = app
  }

  /** All installations of the App, including suspended ones. */
  async *list(): AsyncGenerator<Installation, void, undefined> {
    yield* listItems(this.#app, '/app/installations') as unknown as AsyncGenerator<Installation, void, undefined>
  }

  /**
   * The installation of a target. This method itself makes no request and does not fail. If the App is not installed on
   * the target, a later call of a method of the returned source rejects.
   */
  sourceFor(target: OctokitTarget): InstallationSource {
    if ('installation' in target) {
      const installation = String(target.installation)
      return {
        id: async () => installation,
        replace: (_id, cause) => this.#throwMissing(installation, cause),
        otherThan: async () => undefined,
      }
    }
    const path = pathOf(target)
    return {
      id: () => this.#find(path),
      replace: async (id) => {
        const found = this.#ids.get(path.toLowerCase())
        // If the id differs, another caller has replaced it already.
        if (found && (await found.id) === id) this.#ids.delete(path.toLowerCase())
        return this.#find(path)
      },
      otherThan: async (id) => {
        const found = this.#ids.get(path.toLowerCase())
        if (found && found.expiresAt - Date.now() <= maxAge - minAge) this.#ids.delete(path.toLowerCase())
        const present = await this.#find(path)
        return present === id ? undefined : present
      },
    }
  }

  #find(path: string): Promise<string> {
    const [key, now] = [path.toLowerCase(), Date.now()] // the case of a name makes no difference to GitHub
    const found = this.#ids.get(key)
    if (found && now < found.expiresAt) return found.id
    this.#deleteExpired(now)
    const entry = { id: this.#request(path), expiresAt: now + maxAge }
    this.#ids.set(key, entry)
    entry.id.catch(() => this.#ids.get(key) === entry && this.#ids.delete(key))
    return entry.id
  }

  async #request(path: string): Promise<string> {
    const where = path.replace(/^\/\w+\//, '')
    try {
      const { text } = await this.#app.request(`GET ${path}/installation`)
      const { id, suspended_at, html_url } = parseAnswer(text) as Installation
      if (suspended_at) throw failure(403, `The installation of the App on ${where} is suspended: see ${html_url}`)
      return id
    } catch (error) {
      if ((error as RequestError).status !== 404) throw error
      const { name, url } = await this.#describeApp()
      const cure = `install it at ${url}/installations/new, or check the spelling of the name`
      throw failure(404, `The App ${name} is not installed on ${where}: ${cure}`, error)
    }
  }

  async #throwMissing(installation: string, cause: unknown): Promise<never> {
    const { name } = await this.#describeApp()
    const problem = `does not have the installation ${installation}, or no longer has it`
    throw failure(404, `The App ${name} ${problem}: hooks.installations() lists those that it has`, cause)
  }

  /**
   * Describes the App for an error. Rejects if GitHub does not know the App: a request for an installation gets 404 in
   * that case too, and an error about the installation would be wrong.
   */
  async #describeApp(): Promise<{ name: string; url: string }> {
    const data = parseAnswer((await this.#app.request('GET /app')).text)
    const app = isObject(data) ? data : {}
    return { name: textIn(app, 'name') ?? '', url: textIn(app, 'html_url') ?? '' }
  }

  #deleteExpired(now: number): void {
    for (const [path, { expiresAt }] of this.#ids) {
      if (now < expiresAt) return
      this.#ids.delete(path)
    }
  }
}

/** The installations that are not suspended. */
export async function* scheduleInstallations(
  installations: AsyncIterable<Installation>,
): AsyncGenerator<ScheduleTarget, void, undefined> {
  for await (const { id, account, suspended_at } of installations) {
    if (!suspended_at) yield { installation: { id, account: account && pick(account, ['login', 'slug']) } }
  }
}

/**
 * The repositories of an installation that are neither archived nor disabled.
 * @param github Authenticates as the installation.
 */
export async function* scheduleRepositories(
  installation: ScheduleTarget['installation'],
  github: Requester,
): AsyncGenerator<ScheduleTarget, void, undefined> {
  for await (const item of listItems(github, '/installation/repositories', 'repositories')) {
    if (item.archived || item.disabled) continue
    const repository = item as unknown as NonNullable<ScheduleTarget['repository']>
    const members = pick(repository, ['id', 'name', 'full_name', 'private', 'default_branch'])
    yield { installation, repository: { ...members, owner: pick(repository.owner, ['login']) } }
  }
}

function pick<Value extends object, Name extends keyof Value>(value: Value, names: readonly Name[]): Pick<Value, Name> {
  return Object.fromEntries(names.map((name) => [name, value[name]])) as Pick<Value, Name>
}

/** An error with a status: `RetryingRequester` would retry an error without one, but here another try cannot help. */
const failure = (status: number, message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, { cause }), { status })

/** For each member of an `OctokitTarget`: the check of its value, and the description of a valid value. */
const members: Record<string, { isValid(value: unknown): boolean; expected: string }> = {
  installation: {
    isValid: (value) => isWhole(value, 1) || (typeof value === 'string' && isId(value)),
    expected: 'the id of an installation',
  },
  repository: { isValid: (value) => isName(value, 'repository'), expected: '"owner/name"' },
  organization: { isValid: (value) => isName(value, 'organization'), expected: 'the login of an organization' },
  user: { isValid: (value) => isName(value, 'organization'), expected: 'the login of a user' },
}

const names = Object.keys(members)
  .map((name) => `"${name}"`)
  .join(', ')

/**
 * Whether a value is the full name of a repository (`kind` `repository`) or a login (`kind` `organization`), without
 * the id of a webhook.
 */
function isName(value: unknown, kind: 'repository' | 'organization'): boolean {
  const parsed = typeof value === 'string' ? parseTarget(value) : undefined
  return typeof parsed === 'object' && kind in parsed && parsed.id === undefined
}

/** @throws {TypeError} naming the wrong member. */
export function checkOctokitTarget(target: unknown): asserts target is OctokitTarget {
  const given = isObject(target) ? Object.entries(target) : []
  const [name = '', value] = given[0] ?? []
  const member = Object.hasOwn(members, name) ? members[name] : undefined
  if (!member || given.length > 1) fail('hooks.octokit(): the target', `an object with one of ${names}`, target)
  if (!member.isValid(value)) fail(`hooks.octokit(): "${name}"`, member.expected, value)
}

/** The path of the repository or the account in GitHub's API. */
function pathOf(target: Exclude<OctokitTarget, { installation: string | number }>): string {
  if ('repository' in target) return `/repos/${target.repository}`
  return 'organization' in target ? `/orgs/${target.organization}` : `/users/${target.user}`
}
