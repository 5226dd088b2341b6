import { join } from 'node:path'
import { expect } from 'vitest'
import { hookserver } from '../../cli/command.ts'
import type { ServedProcess } from '../service.ts'
import type { Evidence } from './evidence.ts'
import { careless, known } from './known.ts'

const { newSecret, adminToken, wrongToken, githubToken, revokedToken, proxyPassword } = known

type Run = [code: number, args: readonly string[], env?: Record<string, string>]

/** Runs the command line against a server, with valid, wrong and mistyped arguments. */
export async function runCommands(
  evidence: Evidence,
  served: ServedProcess,
  { folder, apiUrl }: { folder: string; apiUrl: string },
): Promise<void> {
  const [to, admin] = [await served.url(), await served.adminUrl()]
  const [database, secretFile] = [join(folder, 'hookserver.db'), join(folder, 'secrets')]
  await runAll(evidence, [...sending(to), ...looking(admin, database), ...starting(secretFile, database, apiUrl)])
}

/** Runs the command line with PostgreSQL, with URLs that are correct, wrong and invalid. */
export async function runDatabaseCommands(
  evidence: Evidence,
  { url, file }: { url: string; file: string },
): Promise<void> {
  const list = ['deliveries', 'list']
  const elsewhere = (change: Partial<URL>) => Object.assign(new URL(url), change).href
  const serve = ['serve', careless, '--database']
  const env = { GITHUB_WEBHOOKS_KEY: newSecret, GITHUB_TOKEN: githubToken } // the module needs the token
  await runAll(evidence, [
    [0, [...list, '--json', '--database', url]],
    [0, [...list, '--database-url-file', file]],
    [0, ['deliveries', 'show', '1'], { DATABASE_URL: url }],
    [0, ['deliveries', 'export'], { HOOKSERVER_DATABASE_URL_FILE: file }],
    [0, ['migrate', '--database', url]],
    [0, ['handlers', 'pause', '--all', '--database', url]],
    [0, ['handlers', 'resume', '--all', '--database', url]],
    [1, ['doctor', '--database', url, '--json', '--port', '0', '--admin-port', '0', '--api-url', 'http://127.0.0.1:9']],
    [1, ['doctor', '--database', elsewhere({ port: '9' }), '--port', '0', '--admin-port', '0']],
    [1, [...list, '--database', elsewhere({ port: '9' })]],
    [1, [...list, '--database', elsewhere({ username: 'unknown' })]],
    [1, [...list, '--database', elsewhere({ pathname: '/nothing' })]],
    [1, [...list, '--database', `${url}?sslmode=require`]],
    [1, [...serve, elsewhere({ username: 'unknown' })], env],
    [2, [...serve, url, '--max-size', '1GiB'], env],
    [2, [...list, '--database', decodeURIComponent(url)]],
    [2, [...list, '--database', url.replace('postgres:', 'mysql:')]],
    [2, [...list, '--databse', url]],
    [2, [...list, '--database', url, '--database-url-file', file]],
  ])
}

async function runAll(evidence: Evidence, runs: readonly Run[]): Promise<void> {
  for (const [code, args, env] of runs) {
    const ended = await hookserver(args, env)
    expect([args, ended.code, ended.stderr]).toEqual([args, code, ended.stderr])
    evidence.keep(`what ${args.slice(0, 2).join(' ')} printed`, ended.stdout + ended.stderr)
  }
}

function sending(to: string): Run[] {
  const send = ['send', 'push', '--to', to]
  const signing = { GITHUB_WEBHOOKS_KEY: newSecret }
  return [
    [0, send, signing],
    [0, [...send, '--secret', newSecret, '--count', '3', '--json']],
    [0, [...send, '--tamper'], signing],
    [1, [...send, '--secret', 'another secret']],
    [1, ['send', 'push', '--to', 'http://127.0.0.1:9/hooks'], signing],
    [2, [...send, `--secrets=${newSecret}`]],
    [2, [...send, '--secret', ...newSecret.split(' ')]],
  ]
}

function looking(admin: string, database: string): Run[] {
  const list = ['deliveries', 'list', '--server', admin]
  const far = { HOOKSERVER_SERVER: admin, HOOKSERVER_ADMIN_TOKEN: adminToken }
  return [
    [0, ['deliveries', 'list'], far],
    [0, ['deliveries', 'list', '--json', '--database', database], far],
    [0, ['deliveries', 'show', '1'], far],
    [0, ['deliveries', 'show', '1', '--json', '--server', admin, '--admin-token', adminToken]],
    [1, [...list, '--admin-token', wrongToken], far],
    [2, [...list, '--admin-token', `${adminToken} and more`]],
    [2, [...list, `--admin-tokn=${adminToken}`]],
    [2, [...list, '--admin-tokn', adminToken]],
    [2, ['deliveries', 'list', '--server', admin.replace('://', `://me:${proxyPassword}@`)], far],
  ]
}

function starting(secretFile: string, database: string, apiUrl: string): Run[] {
  const github = ['--api-url', apiUrl]
  const doctor = ['doctor', careless, '--secret-file', secretFile, '--port', '0', '--admin-port', '0', ...github]
  // The module `careless` reads GITHUB_TOKEN. Commands without a module need HOOKSERVER_GITHUB_TOKEN here: they use the
  // API at `apiUrl`, and send GITHUB_TOKEN to api.github.com only.
  const tokens = (token: string) => ({ GITHUB_TOKEN: token, HOOKSERVER_GITHUB_TOKEN: token })
  const [right, revoked] = [tokens(githubToken), tokens(revokedToken)]
  return [
    [2, ['serve', careless, '--admin-token', adminToken.slice(0, 8), adminToken]],
    [0, [...doctor, '--database', database], right],
    [0, [...doctor, '--database', database, '--json'], { ...revoked, HOOKSERVER_ADMIN_TOKEN: adminToken }],
    [2, [...doctor, `--secret=${newSecret}`]],
    [1, ['recover', 'acme/shop#7', '--database', database, ...github], { HOOKSERVER_GITHUB_TOKEN: revokedToken }],
    [1, ['recover', 'acme', '--database', database, ...github, '--github-token', githubToken]],
    [2, ['recover', 'acme', '--database', database, ...github, '--github-token', `${githubToken} and more`]],
    [0, ['ranges', ...github], right],
    [0, ['ranges', '127.0.0.1', ...github], revoked],
  ]
}
