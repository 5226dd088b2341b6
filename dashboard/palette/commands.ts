import { allHandlers } from '../../src/inbox/pauses.ts'
import type { Page, Recovery, Stats } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { savedSearches } from '../deliveries/saved-searches.ts'
import { changePause } from '../handlers/pausing.tsx'
import { sweepNow } from '../overview/sweep.ts'
import { go } from '../route.ts'
import { logOut, mayAct } from '../session/session.ts'
import { places } from '../shell/navigation.tsx'
import { theme, utc } from '../ui/preferences.ts'
import { conditionOf } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { showMessage } from '../ui/toast.tsx'
import type { Command } from './screen-commands.ts'

/** The commands that do not depend on the server. @param onHelp Shows the keyboard shortcuts. */
export function fixedCommands(onHelp: () => void): Command[] {
  const screens = [...places, ...(mayAct.value ? ([['send', 'Send']] as const) : [])]
  return [
    ...screens.map(([path, name]) => ({ name, hint: 'screen', run: () => go(linkTo(path)) })),
    ...savedSearches.value.map(({ name, text }) => ({
      name: plain(name, 60),
      hint: `saved search: ${plain(text, 100)}`,
      run: () => searchFor(text),
    })),
    { name: 'Dead deliveries', hint: 'search', run: () => searchFor('state:dead') },
    { name: 'Failures of the last hour', hint: 'search', run: () => searchFor('state:dead,retrying since:1h') },
    { name: 'Light theme', hint: 'setting', run: () => (theme.value = 'light') },
    { name: 'Dark theme', hint: 'setting', run: () => (theme.value = 'dark') },
    { name: 'System theme', hint: 'setting', run: () => (theme.value = '') },
    utc.value
      ? { name: 'Times in your time zone', hint: 'setting', run: () => (utc.value = false) }
      : { name: 'Times in UTC', hint: 'setting', run: () => (utc.value = true) },
    { name: 'Keyboard shortcuts', hint: 'help', run: onHelp },
    { name: 'Log out', hint: 'session', run: logOut },
  ]
}

/** The commands that depend on the server: the pages of the handlers, and the operations that are possible now. */
export async function serverCommands(signal: AbortSignal): Promise<Command[]> {
  const [{ handlers, paused }, { canSweep }] = await Promise.all([
    get<Stats>('stats', {}, signal),
    get<Recovery>('recovery', {}, signal),
  ])
  const names = [...new Set([...handlers, ...paused])].filter((name) => name !== allHandlers)
  const pages = names.map((name) => ({
    ...{ name: `Handler ${plain(name, 60)}`, hint: 'page' },
    run: () => go(linkTo(`handlers/${encodeURIComponent(name)}`)),
  }))
  if (!mayAct.value) return pages
  return [
    ...pages,
    ...(canSweep ? [{ name: 'Recover missed deliveries now', hint: 'recovery', run: sweepNow }] : []),
    ...names.map((name) => pauseCommand(paused.includes(name), name)),
    ...(names.length > 0 ? [pauseCommand(paused.includes(allHandlers))] : []),
  ]
}

function pauseCommand(isPaused: boolean, name?: string): Command {
  const act = isPaused ? 'resume' : 'pause'
  const verb = isPaused ? 'Resume' : 'Pause'
  return {
    name: `${verb} ${name === undefined ? 'all handlers' : plain(name, 60)}`,
    hint: 'handler',
    run: () => changePause(act, name),
  }
}

/** The commands for a typed text itself: to open the delivery that it names, and to search for it. */
export function commandsFor(typed: string): { first: Command[]; last: Command[] } {
  const text = typed.trim()
  const id = /^#?([1-9]\d{0,14})$/.exec(text)?.[1]
  const isGuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)
  return {
    first: [
      ...(id ? [{ name: `Open delivery ${id}`, hint: 'id', run: () => go(linkTo(`deliveries/${id}`)) }] : []),
      ...(isGuid ? [{ name: 'Open the delivery with this GUID', hint: text, run: () => openGuid(text) }] : []),
    ],
    last: text === '' ? [] : [{ name: 'Search deliveries', hint: plain(text, 100), run: () => searchFor(text) }],
  }
}

const searchFor = (text: string): void => go(linkTo('deliveries', { q: text }))

/** Opens the delivery with a GUID. If several have it, lists them. */
async function openGuid(guid: string): Promise<void> {
  const { deliveries } = await get<Page>('deliveries', { guid, limit: 2 })
  const [found, another] = deliveries
  if (!found) showMessage('No delivery has this GUID')
  else if (another) searchFor(conditionOf('guid', guid))
  else go(linkTo(`deliveries/${found.id}`))
}
