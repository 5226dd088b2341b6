import { parseTarget, type Target } from '../../github/target.ts'
import { asBoolean, asChoice, asDuration, asList, asUrl, asWait, Expected, type SettingsOf } from '../setting.ts'

/** What is asked of GitHub: what did not come in, or all that there is. */
export interface GitHubValues {
  githubToken: string | undefined
  recover: Target[] | undefined
  recoverUrl: string | undefined
  /** Milliseconds. */
  recoverEvery: number
  /** Milliseconds. */
  recoverLookback: number | undefined
  recoverMode: 'redeliver' | 'pull'
  recoverEvents: string[] | undefined
  recoverIncludeOk: boolean
  /** Milliseconds. */
  recoverPace: number
  pull: Target[] | undefined
  /** Milliseconds. */
  pullEvery: number
}

export const githubSettings: SettingsOf<GitHubValues> = {
  githubToken: {
    placeholder: '<token>',
    help: "a token for GitHub's API; better in its variable (GITHUB_TOKEN, for github.com alone)",
    fallback: undefined,
    parse: asSecretText,
  },
  recover: {
    placeholder: '<hooks>',
    help: 'whose deliveries are fetched that did not come in: acme/shop, acme, app, with commas between them; acme/shop#7 is the hook with that id (nobody)',
    fallback: undefined,
    parse: asTargets,
  },
  recoverUrl: {
    placeholder: '<url>',
    help: 'the address that GitHub delivers to, by which the hooks are found that are named without their id',
    fallback: undefined,
    parse: asUrl,
  },
  recoverEvery: {
    placeholder: '<time>',
    help: 'how often they are looked for (5m)',
    fallback: 300_000,
    parse: asWait,
  },
  recoverLookback: {
    placeholder: '<time>',
    help: 'how far back at most (as long as GitHub keeps them: 3d, 7d on an Enterprise Server)',
    fallback: undefined,
    parse: asDuration,
  },
  recoverMode: {
    placeholder: '<mode>',
    help: "redeliver (GitHub sends it again, signed) or pull (its payload is read from GitHub's API) (redeliver)",
    fallback: 'redeliver',
    parse: asChoice('redeliver', 'pull'),
  },
  recoverEvents: {
    placeholder: '<list>',
    help: 'which events, with commas between them: issues, pull_request.closed (those that a handler matches)',
    fallback: undefined,
    parse: asNames,
  },
  recoverIncludeOk: {
    placeholder: '[boolean]',
    help: "fetch, too, what GitHub's log shows as delivered and is not here",
    fallback: false,
    parse: asBoolean,
  },
  recoverPace: {
    placeholder: '<time>',
    help: 'between two redeliveries; github.com asks for a second (1s)',
    fallback: 1000,
    parse: asWait,
  },
  pull: {
    placeholder: '<hooks>',
    help: "whose deliveries are taken from GitHub's log, while nothing is received: named as for --recover (nobody)",
    fallback: undefined,
    parse: asTargets,
  },
  pullEvery: {
    placeholder: '<time>',
    help: 'how often it is looked at; less often when little is left of the rate limit (10s)',
    fallback: 10_000,
    parse: asWait,
  },
}

/** A secret that goes into a header. */
function asSecretText(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new Expected('a text without white space')
}

function asTargets(text: string): Target[] {
  const targets = asList(text).map(parseTarget)
  if (targets.length > 0 && targets.every((target) => target !== undefined)) return targets as Target[]
  throw new Expected(
    'a list with commas between its items, each acme/shop, acme/shop#<hook id>, acme, acme#<hook id> or app',
  )
}

function asNames(text: string): string[] {
  const names = asList(text)
  if (names.length > 0 && names.every((name) => /^(\*|[\w-]+(\.[\w-]+)?)$/.test(name))) return names
  throw new Expected('a list of events with commas between them, such as push,issues.opened')
}
