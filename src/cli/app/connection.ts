/** The App and the GitHub that the `app` commands use. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { appIn } from '../../app.ts'
import { GitHubClient } from '../../github/github-client.ts'
import { defaultRetryPolicy, type RequestError, type Requester, RetryingRequester } from '../../github/requester.ts'
import { type EnvFile, loadEnvFile } from '../../server/config/env-file.ts'
import { githubAddresses } from '../../server/config/server-options.ts'
import { childLogger, silentLogger } from '../../telemetry/logger.ts'
import { addEnvFileFlags, defaultEnvFile } from '../env-file-flags.ts'
import { addConfigFlag, configFromFlags, UsageError } from '../flags.ts'

export interface GitHubFlags {
  github?: string
  apiUrl?: string
}

/** Flags of the commands that read the App from a `.env` file or the environment. */
export function addAppFlags(command: Command): Command {
  return addEnvFileFlags(addGitHubFlags(command))
}

export interface OutputFlags extends GitHubFlags {
  /** The file to write. */
  output: string
}

/**
 * Flags of the commands that write the App to a file. The flag cannot be `--env-file`, because Node.js itself reads
 * that flag of any program, and fails if the file does not exist.
 */
export function addOutputFlags(command: Command): Command {
  command.option('--output <file>', 'File to write the key and the secrets to', defaultEnvFile)
  return addGitHubFlags(command)
}

const addGitHubFlags = (command: Command): Command => addConfigFlag(addConfigFlag(command, 'github'), 'apiUrl')

export interface GitHubAddresses {
  /** The address of GitHub's pages. */
  github: string
  apiUrl: string
  /** The variables that name this GitHub for the other commands. */
  variables: Readonly<Record<string, string>>
}

/** Adds the variables of the output file, if it exists, to the environment, because they may name the GitHub to use. */
export function readOutput({ output }: OutputFlags): EnvFile | undefined {
  return existsSync(output) ? loadEnvFile(output) : undefined
}

export function addressesFrom({ github, apiUrl }: GitHubFlags): GitHubAddresses {
  const config = configFromFlags({ github, apiUrl }, { names: ['github', 'apiUrl'] })
  const named = {
    HOOKSERVER_GITHUB: config.github.value,
    HOOKSERVER_API_URL: config.apiUrl.value,
  }
  const variables = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { ...githubAddresses(config), variables: Object.fromEntries(variables) }
}

/**
 * A requester for the App that the environment names. `readEnvFile` has added the env file to the environment before.
 * @throws {UsageError} if there is no App.
 */
export function connectedApp(flags: GitHubFlags, signal: AbortSignal): { github: string; requester: Requester } {
  const { github, apiUrl } = addressesFrom(flags)
  const app = appIn((name) => process.env[name])
  if (app) return { github, requester: requesterFor(app, apiUrl, signal) }
  const cure = 'create one with "npx hookserver app create", or add an existing one with "npx hookserver app import"'
  throw new UsageError(`There is no App in the env file or the environment: ${cure}`)
}

/** A requester that authenticates as the App. It waits for rate limits, and retries failures of network and GitHub. */
export function requesterFor(
  app: { id: number | string; privateKey: string },
  apiUrl: string,
  signal: AbortSignal,
): Requester {
  const client = new GitHubClient({ apiUrl, app, token: undefined, logger: childLogger(silentLogger) })
  const github: Requester = {
    request: async (route, parameters) => (await client.requesterFor('app')).request(route, parameters),
  }
  return new RetryingRequester(github, signal, { ...defaultRetryPolicy, retries: [1000, 4000] })
}

/** Explains to the operator why a request of the App failed. */
export function problemOf(error: unknown): string {
  const { status, message } = error as RequestError
  if (status === 401 || status === undefined) return message
  if (status === 404) return 'GitHub has no such App (404): check its id, and --github'
  return `GitHub answered ${status}: ${message}`
}
