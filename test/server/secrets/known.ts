import { fileURLToPath } from 'node:url'

/** The secrets of the server, its operator and its senders, by the names to report them under. */
export const known = {
  newSecret: 'the new secret: ä+/&="?',
  oldSecret: 'the old secret, before the rotation',
  adminToken: 'admin-token~hard+to/guess=',
  readOnlyToken: 'to-look~and+touch/nothing=',
  wrongToken: 'admin-token~of+yesterday/perhaps=',
  githubToken: 'ghp_TheTokenThatGitHubGave0123456789',
  revokedToken: 'ghp_ATokenThatHasBeenRevoked9876543',
  keyInAddress: 'the-key-in-the-address-of-the-hook',
  proxyPassword: 'the-password-of-the-proxy',
  databasePassword: 'the password:of/the@database?',
} as const

/** The served module. */
export const careless: string = fileURLToPath(new URL('careless-hooks.ts', import.meta.url))
