/** `/readyz` of `hookserver serve` while its inbox cannot store deliveries. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { storeIn } from '../inbox/stores.ts'
import { ServedHere } from './serve-here.ts'
import { anyOrigin, project, type Served, ServedProcess, secret, withSecret } from './service.ts'

async function ready(served: Served): Promise<number> {
  return (await fetch(`${await served.adminUrl()}/readyz`)).status
}

/** The lines of `/metrics` that show whether the server is ready, and the problems that its worker has. */
async function metricsOfReadiness(served: Served): Promise<string[]> {
  const text = await (await fetch(`${await served.adminUrl()}/metrics`)).text()
  return text.split('\n').filter((line) => /^hookserver_(ready|worker_problems\{.*\} [1-9])/.test(line))
}

/** A module with a handler that succeeds. */
const working = `
  import { Hooks } from 'hookserver'
  const hooks = new Hooks()
  hooks.on('push', { name: 'push' }, () => {})
  export default hooks
`

async function deliver(served: Served, event: 'push' | 'fork', payload?: object): Promise<number> {
  return (await fetch(await served.url(), signedRequest(event, { secret, ...(payload && { payload }) }))).status
}

/** Waits until `/readyz` answers `status`. It may answer 200 until the cached result of a successful check expires. */
const becomes = (served: Served, status: number) => expect.poll(() => ready(served)).toBe(status)

/** Overwrites the first page of an index of the inbox in a folder. */
async function damage(folder: string, index: string): Promise<void> {
  const path = join(folder, 'hookserver.db')
  const inbox = sqlite(path)
  await storeIn(inbox)
  await inbox.close()
  const db = new DatabaseSync(path)
  const { page } = db.prepare('select rootpage as page from sqlite_schema where name = ?').get(index) as {
    page: number
  }
  const { size } = db.prepare('select page_size as size from pragma_page_size').get() as { size: number }
  db.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(size, 0xff), 0, size, (page - 1) * size)
  closeSync(file)
}

test('answers 503 if an index is damaged that the worker needs, and lists the problem', async () => {
  const folder = project({ 'hooks.ts': working })
  await damage(folder, 'tasks_due')
  const served = new ServedHere(folder, ['hooks.ts', ...anyOrigin], withSecret)
  await becomes(served, 503)
  expect(await served.line('Not ready: No handler starts')).toMatchObject({
    err: { message: expect.stringContaining('malformed') },
  })
  const problem = 'hookserver_worker_problems{code="store_failing"} 1'
  expect(await metricsOfReadiness(served)).toEqual(['hookserver_ready 0', problem])
  expect(await deliver(served, 'push')).toBe(202)
})

test('answers 503 while the heartbeats of the worker fail, and logs the error once', async () => {
  const inbox = "inbox: sqlite('hookserver.db', { heartbeat: 100 })"
  const module = `import { sqlite } from 'hookserver/sqlite'${working.replace('new Hooks()', `new Hooks({ ${inbox} })`)}`
  const folder = project({ 'hooks.ts': module })
  await damage(folder, 'handlers')
  const served = new ServedHere(folder, ['hooks.ts', ...anyOrigin], withSecret)
  await becomes(served, 503)
  const malformed = expect.stringContaining('malformed')
  expect(await served.line('Not ready: The worker sends no heartbeats')).toMatchObject({ err: { message: malformed } })
  const failed = 'Maintenance of the inbox fails, and will be tried again: heartbeats'
  expect(await served.line(failed)).toMatchObject({ work: 'heartbeats', message: malformed })
})

test('answers 503 if the index of identities is damaged', async () => {
  const folder = project()
  await damage(folder, 'deliveries_identity')
  const served = new ServedHere(folder, anyOrigin, withSecret)
  expect([await ready(served), await ready(served), await deliver(served, 'push')]).toEqual([503, 503, 503])
  expect(await served.line('Not ready: The inbox cannot store deliveries')).toMatchObject({
    err: { message: expect.stringContaining('malformed') },
  })
  expect(served.lines.filter(({ msg }) => msg.startsWith('Not ready'))).toHaveLength(1)
})

test('answers 503 if the disk is full', async () => {
  const served = new ServedProcess(
    project(),
    anyOrigin,
    { ...withSecret, NODE_DISABLE_COMPILE_CACHE: '1' },
    { fileLimit: 2048 },
  )
  expect([await ready(served), await deliver(served, 'push')]).toEqual([200, 202])
  expect(await metricsOfReadiness(served)).toEqual(['hookserver_ready 1'])
  for (const size of [200_000, 20_000, 2000]) {
    const payload = () => ({ text: randomBytes(size).toString('hex') })
    for (let status = 202, count = 0; status === 202; count++) {
      expect(count).toBeLessThan(1000)
      status = await deliver(served, 'push', payload())
    }
  }
  // A checkpoint may have made room again.
  await expect.poll(async () => [await deliver(served, 'push'), await ready(served)]).toEqual([503, 503])
  expect(await metricsOfReadiness(served)).toContain('hookserver_ready 0')
})

test('answers 503 after a delivery could not be stored, until another delivery is stored', async () => {
  const folder = project()
  const served = new ServedHere(folder, anyOrigin, withSecret)
  expect(await ready(served)).toBe(200)
  const db = new DatabaseSync(join(folder, 'hookserver.db'), { timeout: 5000 })
  onTestFinished(() => db.close())
  db.exec(
    `create trigger fails before insert on deliveries when new.event = 'fork' begin select raise(abort, 'no'); end`,
  )
  expect([await deliver(served, 'fork'), await ready(served)]).toEqual([503, 503])
  expect(await served.line('Not ready: The inbox cannot store deliveries')).toMatchObject({ err: { message: 'no' } })
  expect([await deliver(served, 'push'), await ready(served)]).toEqual([202, 200])
})

test('answers 503 while the file of the inbox is missing, and 200 after it is moved back', async () => {
  const folder = project()
  const path = join(folder, 'hookserver.db')
  const served = new ServedHere(folder, anyOrigin, withSecret)
  expect(await deliver(served, 'push')).toBe(202)
  renameSync(path, `${path}.moved`)
  await becomes(served, 503)
  expect(await served.line('Not ready')).toMatchObject({
    err: { message: expect.stringContaining('was deleted or replaced while the server was running: move it back') },
  })
  renameSync(`${path}.moved`, path)
  await becomes(served, 200)
  await served.line('Ready again')
  expect(await deliver(served, 'push')).toBe(202)
})
