/** A user, an organization, or the bot of an App. */
export interface Account {
  /** Unique among users, organizations and bots. */
  id: number
  /** The name in URLs. */
  login: string
  /** As GitHub's API shows it. */
  type: 'User' | 'Organization' | 'Bot'
}

/** A repository of the local GitHub. */
export interface Repository {
  /** Unique in the local GitHub. */
  id: number
  /** The user or organization. */
  owner: Account
  /** Without the owner. */
  name: string
  /** `owner/name` */
  fullName: string
  /** Whether a request needs access to read it. */
  private: boolean
  /** Whether requests can only read it. */
  archived: boolean
  /** In milliseconds since 1970. */
  createdAt: number
}

/**
 * Splits `octo/hello` into its two parts.
 * @throws {TypeError}
 */
export function partsOf(fullName: string): [owner: string, name: string] {
  const [owner, name, ...rest] = fullName.split('/')
  if (!owner || !name || rest.length > 0) throw new TypeError(`A repository must be "owner/name", got "${fullName}"`)
  return [owner, name]
}
