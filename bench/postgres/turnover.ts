import { Hooks } from 'hookserver'
import { postgres } from 'hookserver/postgres'
import { hookserver } from 'hookserver/web'
import pg from 'pg'
import { bench, push } from '../delivery.ts'
import { table } from '../table.ts'

/** Milliseconds for which what was handled is kept: much less than the bench takes, so that much is deleted. */
const retention = 60_000

/** Deliveries that may wait to be handled. */
const backlog = 1000

/** Prints how large the tables are after many deliveries have come, been handled, and been pruned. */
export async function reportTurnover(url: string, count: number): Promise<void> {
  const inbox = postgres(url, { schema: 'turnover', retention })
  const hooks = new Hooks({ secret: bench.secret, validateIp: false, inbox })
  const receive = hookserver(hooks)
  let [sent, handled] = [0, 0]
  hooks.hook('push', () => void handled++)
  const through = async (target: number) => {
    while (sent < target) {
      await Promise.all(
        Array.from({ length: 100 }, () =>
          receive(new Request('http://localhost/hooks', push({ guid: crypto.randomUUID() }) as RequestInit)),
        ),
      )
      sent += 100
      while (sent - handled > backlog) await new Promise((resolve) => setTimeout(resolve, 2))
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${sent.toLocaleString('en')} deliveries`)
    }
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }

  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const began = performance.now()
  await through(count / 10)
  const early = await sizes(client)
  await through(count)
  const late = await sizes(client)
  const seconds = (performance.now() - began) / 1000
  const { states } = await inbox.tally()
  await hooks.close()
  for (const schema of early.keys()) await vacuumFull(client, schema)
  const live = await sizes(client)
  await client.end()

  const kept = Object.values(states).reduce((sum, state) => sum + state, 0)
  const rate = (count / seconds).toFixed(0)
  console.log(
    `\n${count.toLocaleString('en')} deliveries came, were handled and were kept for a minute, ${rate} a second; ${kept.toLocaleString('en')} were still there`,
  )
  const mib = (bytes = 0) => (bytes / 2 ** 20).toFixed(1)
  const rows = [...late].map(([schema, bytes]) => {
    const [before, after] = [early.get(schema) ?? 0, live.get(schema) ?? 0]
    return [schema, mib(before), mib(bytes), mib(after), (bytes / after).toFixed(2)]
  })
  console.log(table(['schema', 'MiB after a tenth', 'at the end', 'of it live', '× live'], rows))
}

/** Bytes of all tables and their indexes, ours and those of pg-boss. */
async function sizes(client: pg.Client): Promise<Map<string, number>> {
  const { rows } = await client.query<{ schema: string; bytes: string }>(selectSizes)
  return new Map(rows.map(({ schema, bytes }) => [schema, Number(bytes)]))
}

/** Leaves of each table what is live. */
async function vacuumFull(client: pg.Client, schema: string): Promise<void> {
  const tables = await client.query<{ name: string }>(selectTables, [schema])
  for (const { name } of tables.rows) await client.query(`vacuum full ${schema}."${name}"`)
}

const selectTables = `select relname as name from pg_class where relnamespace = $1::text::regnamespace and relkind = 'r'`

const selectSizes = `
  select nspname as schema, sum(pg_total_relation_size(pg_class.oid)) as bytes
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind = 'r' and nspname like 'turnover%'
  group by nspname
  order by nspname`
