import { getOrCreate } from '../../../runtime/get-or-create.ts'
import { Tokens } from '../auth/tokens.ts'
import { Clock } from '../clock.ts'
import type { EntryOverride } from '../options.ts'
import type { StatusTexts } from '../sending/outcome.ts'
import {
  type App,
  covers,
  type Installation,
  type LocalApp,
  type LocalAppOptions,
  type LocalInstallOptions,
  makeApp,
} from './app.ts'
import { Authorizations } from './authorizations.ts'
import type { LocalDelivery } from './delivery.ts'
import { DeliveryLog } from './delivery-log.ts'
import { type Hook, type HookOwner, type LocalHook, type LocalHookOptions, makeHook, type NewHook } from './hook.ts'
import { ManifestCodes } from './manifest-codes.ts'
import { type Account, partsOf, type Repository } from './repository.ts'
import { type Issue, type IssueFacts, type Label, RepositoryContent } from './repository-content.ts'

const day = 24 * 60 * 60 * 1000

/** Since February 2026, the ids of GitHub's deliveries have this size. */
const firstDeliveryId = 3_840_000_000_000_000_000n

/** The size before 2026. That Enterprise Servers still use it is an assumption: it is not documented. */
const firstEnterpriseDeliveryId = 40_000_000_000n

/**
 * The difference of successive ids. GitHub does not document it. A JavaScript number of this size is a multiple of 512,
 * so several ids become equal after rounding. Up to the 505th delivery, no id rounds to the id of another delivery.
 */
const deliveryIdStep = 37n

/**
 * The sender of most samples. The user has the same id here, also if a test passes a sample to `inject()`. Otherwise, a
 * command in the sample would be denied, because the API would show another user of this name.
 */
const sampleUser = { login: 'codertocat', id: 21_031_067 }

/** Id, visibility and state of a repository, as in a payload. */
interface KnownRepository {
  id?: number
  private?: boolean
  archived?: boolean
}

export interface WorldOptions {
  /** The ranges in `/meta`. */
  ranges: readonly string[]
  /** The version of the Enterprise Server. `undefined` if this GitHub acts as github.com. */
  enterprise: string | undefined
  /** Whether new tokens of installations have the format `ghs_APPID_JWT`. */
  statelessTokens: boolean
  statusTexts: StatusTexts
  /** Milliseconds until the API shows an ended attempt. */
  logLag: number
  /** Milliseconds until the API shows a new head of a pull request. */
  headLag: number
  /** In seconds: the header `x-poll-interval` of lists of deliveries. */
  pollInterval: number | undefined
  /** The maximum of requests, and of deliveries of each webhook. */
  maxRecords: number
}

/**
 * The state of a local GitHub, independent of HTTP. Calls create the accounts and repositories that they name, except
 * `findAccount` and `findRepository`.
 */
export class World {
  readonly clock: Clock = new Clock()
  readonly tokens: Tokens = new Tokens()
  readonly apps: App[] = []
  readonly codes: ManifestCodes = new ManifestCodes(this.clock)
  readonly authorizations: Authorizations = new Authorizations(this.clock)
  readonly enterprise: string | undefined
  readonly statelessTokens: boolean
  readonly statusTexts: StatusTexts
  /** Milliseconds. */
  readonly pollInterval: number | undefined
  /** The maximum of requests, and of deliveries of each webhook. */
  readonly maxRecords: number
  /** `http://127.0.0.1:PORT`, set when the server listens. */
  origin: string = ''
  ranges: readonly string[]
  logLag: number
  headLag: number
  /** Replacements for entries of the delivery log, by the id of the delivery. */
  readonly entryOverrides: Map<string, EntryOverride> = new Map()
  #hooks: Hook[] = []
  readonly #accounts = new Map<string, Account>()
  readonly #repositories = new Map<string, Repository>()
  /** The repositories by their former full names. */
  readonly #moved = new Map<string, Repository>()
  readonly #contents = new Map<Repository, RepositoryContent>()
  /** The members by team: `acme/ops`, in lower case. The value says whether a member has only been invited. */
  readonly teams: Map<string, Map<Account, 'active' | 'pending'>> = new Map()
  readonly #logs = new Map<number, DeliveryLog>()
  #lastId = 1000
  #lastDeliveryId: bigint
  /** The user who owns the token of the options, and is logged in on the pages of settings. */
  readonly user: Account = this.account('octocat')
  /** The user who is logged in on the page that authorizes Apps. */
  visitor: Account = this.user
  /** The members by organization, in lower case. */
  readonly members: Map<string, Map<Account, 'active' | 'pending'>> = new Map()

  constructor(options: WorldOptions) {
    const { ranges, enterprise, statelessTokens, statusTexts, logLag, headLag, pollInterval, maxRecords } = options
    this.ranges = ranges
    this.enterprise = enterprise
    this.statelessTokens = statelessTokens
    this.statusTexts = statusTexts
    this.logLag = logLag
    this.headLag = headLag
    this.pollInterval = pollInterval
    this.maxRecords = maxRecords
    this.#lastDeliveryId = enterprise === undefined ? firstDeliveryId : firstEnterpriseDeliveryId
  }

  /** The base URL of the API. */
  get api(): string {
    return this.enterprise === undefined ? this.origin : `${this.origin}/api/v3`
  }

  get hooks(): readonly Hook[] {
    return this.#hooks
  }

  newId(): number {
    return ++this.#lastId
  }

  newDeliveryId(): string {
    this.#lastDeliveryId += deliveryIdStep
    return String(this.#lastDeliveryId)
  }

  /** @param knownId The id of a new account, as in a payload. */
  account(login: string, type?: Account['type'], knownId?: number): Account {
    const name = login.toLowerCase()
    const account = getOrCreate(this.#accounts, name, (): Account => {
      const id = name === sampleUser.login ? sampleUser.id : (knownId ?? this.newId())
      return { id, login, type: 'User' }
    })
    if (type) account.type = type
    return account
  }

  findAccount(login: string): Account | undefined {
    return this.#accounts.get(login.toLowerCase())
  }

  /** The accounts on which the user may install an App: the user's own, and every organization. */
  get accounts(): readonly Account[] {
    return [this.user, ...[...this.#accounts.values()].filter(({ type }) => type === 'Organization')]
  }

  /** A repository by its present name, or by a former one. A payload with another id is about a new repository. */
  repository(fullName: string, known: KnownRepository = {}): Repository {
    const found = this.findRepository(fullName)
    if (found) return found
    const moved = this.findMoved(fullName)
    return moved && (known.id ?? moved.id) === moved.id ? moved : this.addRepository(fullName, known)
  }

  /** Creates a repository. It takes the name over from a repository that was moved. */
  addRepository(fullName: string, known: KnownRepository = {}): Repository {
    const [owner, name] = partsOf(fullName)
    const { id = this.newId(), private: hidden = false, archived = false } = known
    const more = { fullName, private: hidden, archived, createdAt: this.clock.now() }
    const repository = { id, owner: this.account(owner), name, ...more }
    this.#repositories.set(fullName.toLowerCase(), repository)
    return repository
  }

  findRepository(fullName: string): Repository | undefined {
    return this.#repositories.get(fullName.toLowerCase())
  }

  /** The repository that had the name before it was moved, unless a new one has the name now. */
  findMoved(fullName: string): Repository | undefined {
    return this.findRepository(fullName) ? undefined : this.#moved.get(fullName.toLowerCase())
  }

  /** Gives a repository another name, and perhaps another owner. */
  move(repository: Repository, fullName: string): void {
    const [owner, name] = partsOf(fullName)
    this.#repositories.delete(repository.fullName.toLowerCase())
    this.#moved.set(repository.fullName.toLowerCase(), repository)
    Object.assign(repository, { fullName, name, owner: this.account(owner) })
    this.#repositories.set(fullName.toLowerCase(), repository)
  }

  contentOf(repository: Repository): RepositoryContent {
    return getOrCreate(this.#contents, repository, () => new RepositoryContent(repository))
  }

  /** A label of a repository. Creates the label if it does not exist. */
  label(repository: Repository, name: string): Label {
    const { labels } = this.contentOf(repository)
    const created = () => ({ id: this.newId(), name, color: '808080', description: null })
    return getOrCreate(labels, name.toLowerCase(), created)
  }

  /** An issue or a pull request of a repository. Creates the issue if it does not exist. */
  issue(repository: Repository, number: number, facts: IssueFacts = {}): Issue {
    const now = this.clock.now()
    const { title = `Issue ${number}`, body = null, user = repository.owner, app, pull } = facts
    return getOrCreate(this.contentOf(repository).issues, number, () => ({
      ...{ id: this.newId(), repository, number, title, body, user, app, pull, labels: [], assignees: [] },
      ...{ state: 'open', stateReason: null, createdAt: now, updatedAt: now, closedAt: undefined },
    }))
  }

  get repositories(): readonly Repository[] {
    return [...this.#repositories.values()]
  }

  repositoriesOf(installation: Pick<Installation, 'account' | 'repositories'>): Repository[] {
    return [...this.#repositories.values()].filter((repository) => covers(installation, repository))
  }

  /** @throws {TypeError} if an installation has neither an account nor a repository, or that of another account. */
  addApp(options: LocalAppOptions): App {
    const app = makeApp(options, this.account(options.owner ?? 'octocat'), this.clock.now(), this.apps.length)
    for (const { id, account, repositories } of options.installations ?? []) {
      if (!account && !repositories?.[0])
        throw new TypeError(`An installation must name "account" or "repositories", got neither for ${id}`)
      if (account) this.account(account, 'Organization')
      this.install(app, { account, repositories }, id)
    }
    this.apps.push(app)
    return app
  }

  install(app: App, { account, repositories: names }: LocalInstallOptions, id: number = this.newId()): Installation {
    const login = account ?? names?.[0]?.split('/')[0] ?? app.owner.login
    const repositories = names?.map((name) => this.repository(name))
    const target = this.findAccount(login) ?? this.account(login, 'Organization')
    const foreign = repositories?.find(({ owner }) => owner !== target)
    if (foreign) throw new TypeError(`An installation on ${login} cannot have ${foreign.fullName}`)
    const times = { createdAt: this.clock.now(), suspendedAt: undefined }
    const installation = { id, account: target, repositories, ...times }
    app.installations.push(installation)
    return installation
  }

  addHook(options: LocalHookOptions): Hook {
    return this.makeHook(this.#ownerOf(options), options)
  }

  makeHook(owner: HookOwner, given: NewHook): Hook {
    const hook = makeHook(this.newId(), owner, given, this.clock.now())
    if (owner.type === 'integration') this.#hooks = this.#hooks.filter((other) => other.owner.of !== owner.of)
    this.#hooks.push(hook)
    return hook
  }

  removeHook(hook: Hook): void {
    this.#hooks = this.#hooks.filter((other) => other !== hook)
  }

  hooksOf(owner: HookOwner['of']): Hook[] {
    return this.#hooks.filter((hook) => hook.owner.of === owner)
  }

  logOf({ id }: Pick<LocalHook, 'id'>): DeliveryLog {
    return getOrCreate(this.#logs, id, () => new DeliveryLog(this.maxRecords))
  }

  /** Whether the API shows a delivery: it is neither too old nor too new. */
  isLogged({ deliveredAt, endedAt }: LocalDelivery): boolean {
    // Without a lag, the API shows every delivery, even if the clock was set back since then.
    const isNew = this.logLag > 0 && endedAt + this.logLag > this.clock.now()
    return deliveredAt >= this.deliveriesSince && !isNew
  }

  findDelivery(id: string): LocalDelivery | undefined {
    for (const log of this.#logs.values()) {
      const found = log.find(id)
      if (found) return found
    }
    return undefined
  }

  /**
   * The API shows only deliveries since this time, in milliseconds since 1970. On github.com this is 3 days ago, and on
   * an Enterprise Server it is 7 days ago.
   */
  get deliveriesSince(): number {
    return this.clock.now() - (this.enterprise === undefined ? 3 : 7) * day
  }

  #ownerOf(options: LocalHookOptions): HookOwner {
    if ('repository' in options) return { type: 'repository', of: this.repository(options.repository) }
    if ('organization' in options)
      return { type: 'organization', of: this.account(options.organization, 'Organization') }
    return { type: 'integration', of: this.app(options.app) }
  }

  /** @throws {TypeError} if the App does not exist. */
  app(app: LocalApp | number): App {
    const id = typeof app === 'number' ? app : app.id
    const found = this.apps.find((one) => one.id === id)
    if (!found) throw new TypeError(`There is no App ${id}; addApp() makes one`)
    return found
  }
}
