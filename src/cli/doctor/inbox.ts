import { existsSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Client } from 'pg'
import type { Store } from '../../inbox/inbox.ts'
import { hasWorker } from '../../inbox/processes.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { prunedStates } from '../../inbox/states.ts'
import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import { plural } from '../../runtime/format.ts'
import { day } from '../../runtime/units.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { cureOf, reasonOf } from '../../server/database-errors.ts'
import { openPassively, schemaOf, stepsForFile, stepsForTables } from '../../server/open-inbox.ts'
import { deliveryCount } from '../output.ts'

const minFreeBytes = 2 ** 30
/** The maximum number of recent deliveries to check for an old secret. */
const maxChecked = 100
const what = 'database'

/** Checks that a file can hold the inbox, and that the disk has free space. */
export async function* checkFile(config: Config): AsyncGenerator<Finding> {
  const path = resolve(config.database.value)
  if (existsSync(path)) yield* checkExistingFile(path, config)
  else {
    const finding = checkNewFile(path)
    yield finding
    if (finding.state === 'failed') return
  }
  const { bavail, bsize } = statfsSync(dirname(path))
  if (bavail * bsize > minFreeBytes) return
  const found = `only ${Math.round((bavail * bsize) / 2 ** 20)} MiB are free on the disk`
  yield warning(what, found, 'free some space, or limit the size of the file with --max-size')
}

async function* checkExistingFile(path: string, config: Config): AsyncGenerator<Finding> {
  if (isOld(stepsForFile(path))) yield fine(what, `${path} will be migrated to this version`)
  else yield* checkInbox(openPassively(config), path, config.maxSize.value)
}

/** Creates and deletes a folder beside the file, because permissions alone do not tell whether a file can be created. */
function checkNewFile(path: string): Finding {
  const folder = dirname(path)
  if (!existsSync(folder)) return failed(what, `${path}: its folder does not exist`, `create it: mkdir -p ${folder}`)
  try {
    rmdirSync(mkdtempSync(join(folder, '.hookserver-')))
    return fine(what, `${path} will be created`)
  } catch (error) {
    const [reason] = (error as Error).message.split(', mkdtemp') // the rest names the folder of this check
    const cure = `let this user create files in ${folder}, or name another file with --database`
    return failed(what, `${path} cannot be created: ${reason}`, cure)
  }
}

const isOld = (steps = 0): boolean => steps > 0

/** Checks that a PostgreSQL database can hold the inbox: the tables exist, or can be created. */
export async function* checkSchema(
  client: Client,
  { user, database }: { user: string; database: string },
  config: Config,
  name: string,
): AsyncGenerator<Finding> {
  const schema = schemaOf(config)
  const { exists, allowed } = (await client.query(selectSchema, [schema])).rows[0] as Schema
  const hasOldTables = exists && isOld(await stepsForTables(client, schema))
  const migrates = config.databaseMigrate.value !== false
  if (migrates && !allowed) {
    const found = `${name}: ${user} has no permission to create ${exists ? 'tables in ' : ''}the schema ${schema}`
    const right = exists ? `create on schema ${schema}` : `create on database "${database}"`
    const cure = `grant ${right} to "${user}"; or run "hookserver migrate" as another user, and serve with --database-migrate false`
    yield failed(what, found, cure)
  } else if (hasOldTables && migrates) yield fine(what, `${name}: the tables will be migrated to this version`)
  else if (hasOldTables) {
    const found = `${name}: an older hookserver created the tables`
    yield failed(what, found, 'run hookserver migrate, or leave out --database-migrate false')
  } else if (exists) yield* checkInbox(openPassively(config), name)
  else if (migrates) yield fine(what, `${name}: the tables will be created`)
  else yield failed(what, `${name}: the tables do not exist`, 'create them: hookserver migrate')
}

interface Schema {
  exists: boolean
  /** Whether the user may create the schema, or tables in it if it exists. */
  allowed: boolean
}

const selectSchema = `
  select
    to_regnamespace(name) is not null as exists,
    case
      when to_regnamespace(name) is null then has_database_privilege(current_database(), 'create')
      else has_schema_privilege(name, 'usage') and has_schema_privilege(name, 'create')
    end as allowed
  from (select $1::text) as input (name)`

/**
 * Checks that a server could store deliveries in the inbox. Reports the requests of the last day that had a wrong
 * signature or came through a proxy that the server does not trust, and deliveries with an old secret. Closes the inbox.
 * @param maxSize The limit of the server. The inbox is opened without it, so that the command prunes nothing.
 */
export async function* checkInbox(
  opening: Promise<Store>,
  name: string,
  maxSize: number = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<Finding> {
  let inbox: Store | undefined
  try {
    inbox = await opening
    const overview = await inbox.overview()
    yield await checkStorage(inbox, overview, name, maxSize)
    yield* checkWorkers(inbox, overview)
    yield* checkRejections(inbox)
    yield* checkSecretsInUse(inbox)
  } catch (error) {
    yield failed(what, (error as Error).message)
  } finally {
    await inbox?.close()
  }
}

async function checkStorage(
  inbox: Store,
  { states, size }: InboxOverview,
  name: string,
  maxSize: number,
): Promise<Finding> {
  if (size > maxSize && !prunedStates.some((state) => states[state] > 0)) {
    const found = `${name} has reached --max-size, and has no ended deliveries to delete: a server rejects deliveries`
    return failed(what, found, 'raise --max-size, or let the handlers of the unfinished deliveries run')
  }
  try {
    await inbox.checkWritable()
  } catch (error) {
    return failed(what, `${name}: a server cannot store deliveries: ${reasonOf(error as Error)}`, cureOf(error))
  }
  const unfinished = unfinishedIn(states)
  const counts = `${plural(unfinished, 'unfinished delivery', 'unfinished deliveries')}, ${states.dead} dead`
  return fine(what, `${name}: ${counts}`)
}

const unfinishedIn = ({ pending, running, retrying }: InboxOverview['states']): number => pending + running + retrying

/** Finds deliveries that wait although a process could handle them, because no process runs handlers. */
async function* checkWorkers(inbox: Store, { states }: InboxOverview): AsyncGenerator<Finding> {
  const unfinished = unfinishedIn(states)
  if (unfinished === 0 || hasWorker(await inbox.processes())) return
  const found = `${plural(unfinished, 'unfinished delivery', 'unfinished deliveries')} and no process that runs handlers`
  yield warning('worker', found, 'start one: hookserver serve, with --role all or --role worker')
}

/** Finds wrong signatures, and an untrusted proxy. Behind such a proxy, all deliveries seem to come from the proxy. */
async function* checkRejections(inbox: Store): AsyncGenerator<Finding> {
  const { latest } = await inbox.rejections()
  const recent = latest.filter(({ at }) => at > Date.now() - day)
  const byCode = Map.groupBy(recent, ({ code }) => code)
  const origins = byCode.get('forbidden_origin') ?? []
  const proxied = origins.find(({ reason }) => /trustProxy|--trust-proxy/.test(reason ?? ''))
  if (proxied) {
    const { length: count } = origins.filter(({ address }) => address === proxied.address)
    const found = `${plural(count, 'request')} in the last day came from ${proxied.address}, which is not a trusted proxy`
    yield failed('proxy', found, `if it is your proxy, add --trust-proxy ${proxied.address}`)
  }
  const wrong = byCode.get('wrong_signature') ?? []
  if (wrong.length === 0) return
  const found = `${plural(wrong.length, 'wrong signature')} in the last day`
  yield warning('secret', found, 'compare the secret with the one on GitHub; see the log for details')
}

async function* checkSecretsInUse(inbox: Store): AsyncGenerator<Finding> {
  const { deliveries } = await inbox.list({ since: Date.now() - day, limit: maxChecked })
  const details = await Promise.all(deliveries.map(({ id }) => inbox.get(id)))
  const old = details.filter((detail) => (detail?.secretIndex ?? 0) > 0)
  if (old.length === 0) return
  const found = `${old.length} of the last ${deliveryCount(deliveries.length)} were signed with an old secret`
  yield warning('secret', found, 'enter the new secret on GitHub before you remove the old one')
}
