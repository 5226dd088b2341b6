import { createHash } from 'node:crypto'
import type { ImportedDelivery } from '../../inbox/imported-delivery.ts'
import { deliveryStates } from '../../inbox/records.ts'
import { isObject } from '../../runtime/json.ts'

/** The first line of an export. */
export const exportHeader = { hookserver: 'deliveries', version: 1 }

/** @throws {Error} if the first line is not that of an export that is understood here. */
export function checkHeader(line: unknown): void {
  const { hookserver, version } = (line ?? {}) as Partial<typeof exportHeader>
  if (hookserver !== exportHeader.hookserver)
    throw new Error('it is no export: "hookserver deliveries export" makes one')
  if (version !== exportHeader.version) {
    throw new Error(
      `it is an export of version ${version}, and this hookserver knows ${exportHeader.version}: upgrade it`,
    )
  }
}

type Fields = Readonly<Record<string, unknown>>

/**
 * A line of an export.
 * @throws {Error} naming what is wrong with it.
 */
export function restoredIn(line: unknown): ImportedDelivery {
  if (!isObject(line)) throw new Error('it is no JSON object')
  const { body: text, sha256, ...delivery } = line
  check(line, 'string', ['body', 'sha256', 'source', 'hookId', 'guid', 'event'])
  check(line, 'number', ['receivedAt', 'storedAt', 'duplicates'])
  check(line, 'boolean', ['recovered', 'replayed'])
  if (!isObject(line.headers)) throw new Error('"headers" is missing')
  if (line.form !== 'json' && line.form !== 'form') throw new Error('"form" is neither "json" nor "form"')
  if (!(deliveryStates as readonly unknown[]).includes(line.state)) throw new Error('"state" is none that there is')
  if (!Array.isArray(line.tasks)) throw new Error('"tasks" is no list')
  for (const task of line.tasks) checkTask(task)
  const body = new Uint8Array(Buffer.from(text as string, 'base64'))
  const hash = createHash('sha256').update(body).digest('hex')
  if (hash !== sha256) throw new Error('its body is not the one that came: the SHA-256 is another')
  return { delivery: delivery as unknown as ImportedDelivery['delivery'], body }
}

function checkTask(task: unknown): void {
  if (!isObject(task)) throw new Error('one of its "tasks" is no object')
  check(task, 'string', ['handler', 'state'])
  if (!Array.isArray(task.attempts)) throw new Error('"attempts" is no list')
  for (const attempt of task.attempts) {
    if (!isObject(attempt)) throw new Error('one of its "attempts" is no object')
    check(attempt, 'number', ['number', 'startedAt'])
    check(attempt, 'string', ['outcome'])
    for (const name of ['error', 'result', 'log']) checkText(name, attempt[name])
  }
}

/** Characters of a text of an attempt: no worker keeps as many, and whoever looks at a delivery gets all of them. */
const mostText = 65_536

function checkText(name: string, text: unknown): void {
  if (text === undefined || (typeof text === 'string' && text.length <= mostText)) return
  throw new Error(`"${name}" of an attempt is no string of at most ${mostText} characters`)
}

function check(fields: Fields, type: 'string' | 'number' | 'boolean', names: readonly string[]): void {
  for (const name of names) {
    if (typeof fields[name] !== type) throw new Error(`"${name}" is no ${type}`)
  }
}
