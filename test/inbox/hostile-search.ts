/**
 * `hostile-search.ts <file or postgres:// URL>`: stores a small payload and two hostile ones, searches them, and prints
 * the result. The test starts it with a heap that is too small for a parsed hostile payload.
 */
import { randomUUID } from 'node:crypto'
import type { Page } from '../../src/inbox/records.ts'
import { postgres } from '../../src/postgres/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'

const [, , database = ''] = process.argv
const inbox = database.startsWith('postgres:') ? postgres(database) : sqlite(database)

async function store(body: string, form: 'json' | 'form'): Promise<void> {
  const { id } = await inbox.store({
    ...{ source: '/hooks', hookId: '1', guid: randomUUID(), event: 'push', headers: {}, form },
    ...{ body: new TextEncoder().encode(body), address: undefined, receivedAt: Date.now() },
    ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
  })
  console.error(`Stored ${id}: ${body.length} bytes`)
}

const hostile = `[${'{"34":0},'.repeat(24.9e6 / 9)}{"i":1}]`
await store('{"i":1}', 'json')
await store(hostile, 'json')
await store(`payload=${encodeURIComponent(hostile.slice(-9e6 - 8).replace(/^[^{]*/, '['))}`, 'form')
const found: number[] = []
let tooLarge = 0
for (let before: number | undefined, more = true; more; more = before !== undefined) {
  const page: Page = await inbox.list({ paths: [{ path: ['i'], value: '1' }], before })
  found.push(...page.deliveries.map(({ size }) => size))
  tooLarge += page.tooLarge ?? 0
  before = page.next
}
console.log(JSON.stringify({ found, tooLarge }))
await inbox.close()
