import type { Client } from 'pg'

/** How often it is looked: with several connections behind it, a pooler may hand out another by chance. */
const looks = 5

/**
 * Whether something in front of PostgreSQL hands its connections from one client to the next, between transactions.
 * Then another client is given the connection of one that is idle, or is given back another itself; with a connection
 * of its own neither can be.
 */
export async function sharesConnections(client: Client, connect: () => Promise<Client>): Promise<boolean> {
  const other = await connect()
  for (let look = 0; look < looks; look++) {
    const before = await backendOf(client)
    await other.query('begin')
    // Where there is one connection for both, the first waits until the other has let go of it.
    const isShared = (await backendOf(other)) === before || (await backendOf(client)) !== before
    await other.query('rollback')
    if (isShared) return true
  }
  return false
}

async function backendOf(client: Client): Promise<number> {
  return (await client.query('select pg_backend_pid() as pid')).rows[0].pid
}
