/**
 * A client's position in the change log, as text: the store, the snapshot of PostgreSQL whose changes it has read, and,
 * between two pages, the snapshot up to which it reads and the last row it has read. It can be the id of a server-sent
 * event and a parameter in a URL.
 */
export interface Position {
  store: string
  before: string
  until?: { now: string; id: number } | undefined
}

const snapshot = String.raw`\d{1,19}_\d{1,19}_(?:\d{1,19}(?:~\d{1,19})*)?`

const positionForm = new RegExp(String.raw`^([0-9a-f-]{36})\.(${snapshot})(?:\.(${snapshot})\.(\d{1,15}))?$`)

export function formatPosition({ store, before, until }: Position): string {
  return [store, encode(before), ...(until ? [encode(until.now), until.id] : [])].join('.')
}

/** @returns `undefined` if the text is no position. */
export function parsePosition(text: string): Position | undefined {
  const [, store, before, now, id] = positionForm.exec(text) ?? []
  if (store === undefined || before === undefined) return undefined
  const position: Position = { store, before: decode(before) }
  if (now !== undefined) position.until = { now: decode(now), id: Number(id) }
  return [position.before, position.until?.now ?? position.before].every(isSnapshot) ? position : undefined
}

/** Whether a snapshot was taken after another one of the same server. */
export function isAfter(snapshot: string, other: string): boolean {
  return partsOf(snapshot).end > partsOf(other).end
}

/**
 * Whether a snapshot contains every transaction up to `last` that has committed.
 * @param now The current snapshot.
 */
export function sees(snapshot: string, last: number, now: string): boolean {
  const { end, running } = partsOf(snapshot)
  const stillRunning = new Set(partsOf(now).running)
  return last < end && running.every((transaction) => transaction > last || stillRunning.has(transaction))
}

interface Snapshot {
  /** All transactions before this one have ended. */
  start: number
  /** No transaction from this one on had started. */
  end: number
  /** Transactions between them that had not ended. */
  running: number[]
}

/** PostgreSQL's format: `start:end:running,running`. */
function partsOf(text: string): Snapshot {
  const [start, end, running = ''] = text.split(':')
  return { start: Number(start), end: Number(end), running: running === '' ? [] : running.split(',').map(Number) }
}

/** Whether PostgreSQL accepts it. */
function isSnapshot(text: string): boolean {
  const { start, end, running } = partsOf(text)
  const known = [start, end, ...running]
  const inOrder = running.every((one, index) => one >= start && one < end && one > (running[index - 1] ?? 0))
  return known.every((one) => one > 0 && Number.isSafeInteger(one)) && start <= end && inOrder
}

const encode = (snapshot: string): string => snapshot.replaceAll(':', '_').replaceAll(',', '~')

const decode = (text: string): string => text.replaceAll('_', ':').replaceAll('~', ',')
