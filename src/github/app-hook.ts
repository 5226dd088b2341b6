import type { Inbox } from '../inbox/inbox.ts'
import type { Attempt, DeliveryLog } from './delivery-log.ts'

/** Under this name the inbox remembers the id of the App's hook. */
const appHook = 'recovery hook of the App'

/**
 * `X-GitHub-Hook-ID` of the App's hook. Its API does not say; what it has sent does.
 * @param newest One that it has sent; without any there is no id.
 */
export async function findAppHookId(
  inbox: Inbox,
  log: DeliveryLog,
  newest: () => Promise<Attempt | undefined>,
): Promise<string | undefined> {
  const known = await inbox.getValue(appHook)
  if (known !== undefined) return known
  const attempt = await newest()
  if (!attempt) return undefined
  const { headers } = await log.read(attempt.id)
  const [, id] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-github-hook-id') ?? []
  if (id !== undefined) await inbox.setValue(appHook, id)
  return id
}
