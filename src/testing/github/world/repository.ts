/** A user, an organization, or the bot of an App. */
export interface Account {
  id: number
  login: string
  type: 'User' | 'Organization' | 'Bot'
}

/** A repository of the local GitHub. */
export interface Repository {
  id: number
  owner: Account
  name: string
  /** `owner/name` */
  fullName: string
  private: boolean
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
