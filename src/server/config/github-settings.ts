import { parseTarget, type Target } from '../../github/target.ts'
import { textValue } from '../schema.ts'
import { boolean, choice, duration, headerText, itemsOf, setting, timeout, url } from './setting.ts'

const targets = textValue(
  'a list with commas between its items, each acme/shop, acme/shop#<hook id>, acme, acme#<hook id> or app',
  (text) => {
    const parsed = itemsOf(text).map(parseTarget)
    return parsed.length > 0 && parsed.every((target) => target !== undefined) ? (parsed as Target[]) : undefined
  },
)

const events = textValue('a list of events with commas between them, such as push,issues.opened', (text) => {
  const names = itemsOf(text)
  return names.length > 0 && names.every((name) => /^(\*|[\w-]+(\.[\w-]+)?)$/.test(name)) ? names : undefined
})

/** Which deliveries to fetch from GitHub: missed ones, or all. */
export const githubSettings = {
  githubToken: setting({
    placeholder: '<token>',
    help: "Token for GitHub's API; better set by its variable (GITHUB_TOKEN, for github.com alone)",
    schema: headerText,
  }),
  recover: setting({
    placeholder: '<hooks>',
    help: 'Webhooks to recover missed deliveries for: acme/shop, acme, app, separated by commas; acme/shop#7 is the hook with that id (none)',
    schema: targets,
  }),
  recoverUrl: setting({
    placeholder: '<url>',
    help: 'URL that GitHub delivers to, to find the hooks that are named without an id',
    schema: url,
  }),
  recoverEvery: setting({
    placeholder: '<time>',
    help: 'Interval between recovery sweeps (5m)',
    schema: timeout,
    default: 300_000,
  }),
  recoverLookback: setting({
    placeholder: '<time>',
    help: 'How far back to look (as long as GitHub keeps deliveries: 3d, 7d on an Enterprise Server)',
    schema: duration,
  }),
  recoverMode: setting({
    placeholder: '<mode>',
    help: "redeliver (GitHub sends it again, signed) or pull (read the payload from GitHub's API) (redeliver)",
    schema: choice(['redeliver', 'pull']),
    default: 'redeliver',
  }),
  recoverEvents: setting({
    placeholder: '<list>',
    help: 'Events to recover, separated by commas: issues, pull_request.closed (those that a handler matches)',
    schema: events,
  }),
  recoverIncludeOk: setting({
    placeholder: '[boolean]',
    help: "Also fetch deliveries that GitHub's log shows as delivered and the inbox does not have",
    schema: boolean,
    default: false,
  }),
  recoverPace: setting({
    placeholder: '<time>',
    help: 'Pause between two redeliveries; github.com asks for a second (1s)',
    schema: timeout,
    default: 1000,
  }),
  pull: setting({
    placeholder: '<hooks>',
    help: "Webhooks whose deliveries to take from GitHub's log, instead of receiving them: named as for --recover (none)",
    schema: targets,
  }),
  pullEvery: setting({
    placeholder: '<time>',
    help: 'Interval between reads of that log; longer when little of the rate limit is left (10s)',
    schema: timeout,
    default: 10_000,
  }),
}
