/** Does Git accept the token for a private repository? */
import { execFile } from 'node:child_process'
import { devNull } from 'node:os'
import { promisify } from 'node:util'
import { githubUrlOf } from '../../../src/github/addresses.ts'
import { textIn } from '../../../src/runtime/json.ts'
import type { Probe } from '../probe.ts'
import { type Answer, NotAsked, type Step } from '../step.ts'

/** Milliseconds for Git. */
const timeout = 60_000

/** Variables that Git needs to find its programs, a proxy and certificates. It gets no others. */
const passedOn = ['PATH', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'GIT_SSL_CAINFO', 'SSL_CERT_FILE']

async function askClone(probe: Probe): Promise<Answer> {
  const { token, repository, redactor, signal } = probe
  const address = cloneUrl(probe)
  const credentials = Buffer.from(`x-access-token:${token}`).toString('base64')
  redactor.add(credentials)
  // Git also sends the header for a public repository, and GitHub then rejects an invalid token.
  const env = environment({
    [`http.${new URL(address).origin}/.extraHeader`]: `Authorization: Basic ${credentials}`,
    'http.followRedirects': 'false', // another server must not get the token
    'credential.helper': '',
  })
  const result = await promisify(execFile)('git', ['ls-remote', '--heads', address], { env, timeout, signal }).then(
    () => ({ works: true, message: null }),
    (error: Error & { code?: unknown; stderr?: string }) => {
      signal.throwIfAborted()
      if (error.code === 'ENOENT') throw new NotAsked('Git is not installed')
      return { works: false, message: error.stderr?.trim() || error.message }
    },
  )
  const [kind = 'other'] = /^(?:github_pat|gh[a-z])_/.exec(token) ?? []
  return {
    facts: { works: result.works, private: repository.private === true },
    measured: { message: result.message, token: { kind, length: token.length } },
  }
}

/** @throws {NotAsked} if the URL belongs to another server than the API, because that server must not get the token. */
function cloneUrl({ apiUrl, repository }: Probe): string {
  const url = textIn(repository, 'clone_url') ?? ''
  const { origin } = new URL(githubUrlOf(apiUrl))
  if (URL.parse(url)?.origin !== origin) throw new NotAsked(`the repository is not cloned from ${origin}`)
  return url
}

/** Passes the configuration in variables, because any user of the machine can read the arguments of a process. */
function environment(config: Readonly<Record<string, string>>): Record<string, string> {
  const variables = passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  const settings = Object.entries(config).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return {
    ...Object.fromEntries([...variables, ...settings]),
    GIT_CONFIG_COUNT: String(Object.keys(config).length),
    GIT_CONFIG_GLOBAL: devNull,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  }
}

export const cloneStep: Step = {
  name: 'clone',
  question: 'Does Git accept the token as the password of x-access-token?',
  ask: askClone,
}
