import { once } from 'node:events'
import type { Command } from 'commander'
import type { LocalGitHub } from '../testing/github/local-github.ts'
import { invalidValue } from './flags.ts'
import { abortOnSignal, jsonLine, printLines } from './output.ts'

interface Flags {
  port?: number
  repository?: string[]
  token?: string
  json?: true
}

const defaultPort = 3003

/** The requests, and the deliveries of each webhook, that it keeps in memory: the command may run for days. */
const maxRecords = 1000

export function addGitHub(program: Command): void {
  program
    .command('github')
    .summary('Start a local GitHub, to try everything without an account')
    .description(
      'Starts a GitHub on this machine, with pages for the browser and a part of the REST API. It sends webhooks when ' +
        'you or your bot change something there.\n' +
        'Everything is in memory only, and lost when the command ends.',
    )
    .option('--port <port>', `Port on 127.0.0.1, or 0 for a free one (default: ${defaultPort})`, parsePort)
    .option('--repository <owner/name>', 'Repository to create; repeatable (default: acme/shop)', addRepository)
    .option('--token <token>', 'Token that the API accepts for the user octocat (default: none)')
    .option('--json', 'Print one JSON object with the addresses')
    .addHelpText('after', examples)
    .action(serveGitHub)
}

const examples = `
Examples:
  hookserver github                                          with the repository acme/shop
  hookserver github --port 4000 --repository octocat/hello   with a repository of the user octocat
  hookserver github --token try-it                           for programs that use the API as octocat
  curl http://127.0.0.1:3003/repos/acme/shop/issues          the API of a local GitHub`

async function serveGitHub({ port, repository: names = ['acme/shop'], token, json }: Flags): Promise<void> {
  const signal = abortOnSignal()
  // Imported here, because other commands do not need it.
  const { LocalGitHub, nextCommands } = await import('../testing/github/local-github.ts')
  // Deliveries come from this machine, so a server with a check of the origin must accept its addresses.
  const options = { hooks: ['127.0.0.0/8', '::1/128'], maxRecords, ...(token !== undefined && { token }) }
  const start = (chosen: number) => LocalGitHub.start({ ...options, port: chosen })
  const github = await startAt(start, port)
  for (const name of names) seed(github, name)
  const [owner = ''] = names[0]?.split('/') ?? []
  const commands = nextCommands(github.webUrl, { login: owner, type: typeOf(owner) })
  if (json) {
    await printLines([jsonLine({ url: github.webUrl, apiUrl: github.url, repositories: names, next: commands })])
  } else await printLines(startText(github, names, commands))
  if (!signal.aborted) await once(signal, 'abort')
  await github.close()
}

/** Starts it at the port that the user has chosen, or else at the default port or, if that is in use, at a free one. */
async function startAt(start: (port: number) => Promise<LocalGitHub>, port: number | undefined): Promise<LocalGitHub> {
  try {
    return await start(port ?? defaultPort)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' && port === undefined) {
      console.error(`hookserver: Another program uses port ${defaultPort}, so the local GitHub uses a free one`)
      return start(0)
    }
    const reason = code === 'EADDRINUSE' ? 'another program uses it' : message
    throw new Error(`Cannot listen on port ${port ?? defaultPort}: ${reason}. Choose another one with --port`, {
      cause: error,
    })
  }
}

/** A repository with a file, which `octocat` administers. */
function seed(github: LocalGitHub, fullName: string): void {
  const [owner = '', name = ''] = fullName.split('/')
  if (typeOf(owner) === 'Organization') github.addOrganization(owner)
  github.addRepository(fullName, { files: { 'README.md': `# ${name}\n` } })
  github.addCollaborator(fullName, 'octocat', 'admin')
}

const typeOf = (owner: string): string => (owner.toLowerCase() === 'octocat' ? 'User' : 'Organization')

function startText({ webUrl, url }: LocalGitHub, names: readonly string[], commands: readonly string[]): string[] {
  return [
    `Local GitHub: ${webUrl} (API: ${url})`,
    'Its state is in memory only, and lost when this command ends. Ctrl-C ends it.',
    ...['', 'In the folder of a bot, in another terminal, create an App and run its handlers:'],
    ...commands.map((command) => `  ${command}`),
    ...['', 'Then open an issue, and look at the deliveries of the App:'],
    ...names.map((name) => `  ${webUrl}/${name}/issues`),
  ]
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw invalidValue('--port', 'a whole number from 0 to 65535', text)
}

function addRepository(text: string, names: string[] = []): string[] {
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return [...names, text]
  throw invalidValue('--repository', 'owner/name, such as acme/shop', text)
}
