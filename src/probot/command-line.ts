/** The flags of Probot's commands `run` and `receive`. */
import { parseArgs } from 'node:util'

export type Variables = Readonly<Record<string, string | undefined>>

interface Flag {
  flags: string
  /** The variable of Probot that it overrides. */
  variable?: string
  /** The variable of hookserver that comes before it. */
  own?: string
  help: string
}

const commonFlags = {
  app: { flags: '-a, --app <id>', variable: 'APP_ID', own: 'GITHUB_APP_ID', help: 'App ID' },
  privateKey: {
    flags: '-P, --private-key <file>',
    variable: 'PRIVATE_KEY_PATH',
    own: 'GITHUB_APP_PRIVATE_KEY',
    help: "File with the App's private key",
  },
  baseUrl: { flags: '--base-url <url>', help: "URL of GitHub's API (default: that of GHE_HOST, or github.com)" },
  logLevel: {
    flags: '-L, --log-level <level>',
    variable: 'LOG_LEVEL',
    help: 'trace, debug, info, warn, error, fatal or silent (default: info)',
  },
  logFormat: { flags: '--log-format <format>', variable: 'LOG_FORMAT', help: 'No effect' },
  logLevelInString: { flags: '--log-level-in-string', variable: 'LOG_LEVEL_IN_STRING', help: 'No effect' },
  logMessageKey: { flags: '--log-message-key <key>', variable: 'LOG_MESSAGE_KEY', help: 'No effect' },
  sentryDsn: { flags: '--sentry-dsn <dsn>', variable: 'SENTRY_DSN', help: 'No effect' },
} satisfies Record<string, Flag>

export const runFlags = {
  port: { flags: '-p, --port <port>', variable: 'PORT', help: 'Port (default: 3000)' },
  host: { flags: '-H, --host <address>', variable: 'HOST', help: 'Address (default: localhost)' },
  webhookPath: {
    flags: '-w, --webhook-path <path>',
    variable: 'WEBHOOK_PATH',
    help: 'Path that receives deliveries (default: /api/github/webhooks)',
  },
  secret: {
    flags: '-s, --secret <secret>',
    variable: 'WEBHOOK_SECRET',
    own: 'GITHUB_WEBHOOKS_KEY',
    help: "Secret of the App's webhook; prefer the variable to this flag",
  },
  ...commonFlags,
  redisUrl: { flags: '--redis-url <url>', variable: 'REDIS_URL', help: 'No effect' },
  webhookProxy: { flags: '-W, --webhook-proxy <url>', variable: 'WEBHOOK_PROXY_URL', help: 'No effect' },
} satisfies Record<string, Flag>

export const receiveFlags = {
  event: { flags: '-e, --event <event>', variable: 'GITHUB_EVENT_NAME', help: 'Event of the delivery' },
  payloadPath: { flags: '-p, --payload-path <file>', variable: 'GITHUB_EVENT_PATH', help: 'File with the payload' },
  token: {
    flags: '-t, --token <token>',
    variable: 'GITHUB_TOKEN',
    help: 'Token instead of an App; prefer the variable to this flag',
  },
  ...commonFlags,
} satisfies Record<string, Flag>

type Values<Table> = Partial<Record<Exclude<keyof Table, 'logLevelInString'>, string>> & { logLevelInString?: true }
export type RunFlags = Values<typeof runFlags>
export type ReceiveFlags = Values<typeof receiveFlags>

const allFlags: Readonly<Record<string, Flag>> = { ...runFlags, ...receiveFlags }

/** The environment, with the values of flags in place of those of their variables. */
export function environmentWith(env: Variables, flags: RunFlags & ReceiveFlags): Variables {
  const changed: Record<string, string | undefined> = { ...env }
  if (flags.privateKey !== undefined) changed.PRIVATE_KEY = undefined // comes before the file
  for (const [name, value] of Object.entries(flags)) {
    const { variable, own } = allFlags[name] ?? {}
    if (value === undefined || variable === undefined) continue
    changed[variable] = String(value)
    if (own !== undefined && env[own]) changed[own] = String(value)
  }
  return changed
}

/** The arguments of `run()` for these flags. */
export function argumentsOf(paths: readonly string[], flags: RunFlags): string[] {
  const given = Object.entries(flags).flatMap(([name, value]) => {
    const [long] = /--[\w-]+/.exec(allFlags[name]?.flags ?? '') ?? []
    return long === undefined || value === undefined ? [] : [value === true ? long : `${long}=${value}`]
  })
  return ['node', 'run', ...given, '--', ...paths]
}

/**
 * Parses the arguments of `run(process.argv)`.
 * @throws {Error} if a flag is unknown, or if no app is named.
 */
export function parseRunArguments(argv: readonly string[]): { paths: string[]; flags: RunFlags } {
  const named = Object.entries({ ...runFlags, help: { flags: '-h, --help' } }).map(([name, { flags }]) => {
    const [, short, long = '', value] = /^(?:-(\w), )?--([\w-]+)( <.*>)?$/.exec(flags) ?? []
    return { name, long, option: { type: value ? 'string' : 'boolean', ...(short && { short }) } as const }
  })
  const options = Object.fromEntries(named.map(({ long, option }) => [long, option]))
  const { values, positionals } = parseArgs({ args: argv.slice(2), options, allowPositionals: true })
  if (values.help) {
    console.log('npx hookserver probot run --help shows the flags')
    process.exit(0)
  }
  if (positionals.length === 0) throw new Error('Name the module of the app: run(["node", "run", "./index.js"])')
  return {
    paths: positionals,
    flags: Object.fromEntries(named.map(({ name, long }) => [name, values[long]])) as RunFlags,
  }
}
