import { randomBytes } from 'node:crypto'
import { unreachableUrl } from '../../src/github/app/manifest.ts'
import { isObject, type Json } from '../../src/runtime/json.ts'
import { Branches } from './branches.ts'
import { ApiError, GitHubApi } from './github-api.ts'
import type { Redactor } from './redactor.ts'
import { Webhooks } from './webhooks.ts'

/**
 * An address that no host has: RFC 5737 reserves it for documentation. A connection to it gets no answer, so an attempt
 * to deliver lasts until GitHub gives up.
 */
export const silentAddress = 'https://192.0.2.1/'

/** The URLs of receivers that behave in known ways. */
export interface Receivers {
  /** Answers every request. If the URL has a part `{status}`, the receiver answers with the status that replaces it. */
  answering?: string | undefined
  /** Its port is closed. */
  refusing?: string | undefined
  /** Its certificate is invalid. */
  badTls?: string | undefined
  /** Answers after several seconds, or never. Default: an address that no host has. */
  slow?: string | undefined
}

/** A GitHub, with the repository and the receivers that the probe uses. */
export interface Target {
  /** The address of the API. */
  apiUrl: string
  token: string
  /** `owner/name` */
  repository: string
  receivers?: Receivers
  /** An attempt that GitHub no longer keeps. */
  oldAttempt?: { hook: string; delivery: string } | undefined
  /** Milliseconds between two requests that write. Default: 1000. */
  writeInterval?: number
  /** Milliseconds between two reads of the log. Default: 1000. */
  pollInterval?: number
}

export interface ProbeOptions extends Target {
  redactor: Redactor
  /** What GitHub's page for new Apps did with a webhook at an address of `.invalid`. */
  manifestAddress?: 'accepted' | 'rejected' | undefined
  /** Whether to push commits that make a payload of about 25 MB. Default: `false`. */
  large?: boolean
  /** In milliseconds: how long to wait for an attempt to appear in the log. Default: 5 minutes. */
  maxWait?: number
  /** Ends the probe. */
  signal?: AbortSignal
  progress?: (text: string) => void
}

/** The target of a step, and its helpers. */
export interface Probe {
  /** Its requests end when `signal` aborts. */
  readonly api: GitHubApi
  readonly apiUrl: string
  /** GitHub's answer for the repository. */
  readonly repository: Json
  /** Such as `/repos/octo/scratch`. */
  readonly path: string
  readonly webhooks: Webhooks
  readonly branches: Branches
  readonly receivers: Receivers & { slow: string }
  readonly manifestAddress: 'accepted' | 'rejected' | undefined
  readonly oldAttempt: { hook: string; delivery: string } | undefined
  readonly large: boolean
  readonly maxWait: number
  readonly pollInterval: number
  readonly token: string
  /** The version of an Enterprise Server. */
  readonly enterpriseVersion: string | undefined
  readonly redactor: Redactor
  readonly signal: AbortSignal
  progress(text: string): void
}

/** Checks the token and the repository, and deletes what earlier runs left behind. */
export async function startProbe(options: ProbeOptions): Promise<Probe> {
  const { apiUrl, token, repository: name, redactor, receivers = {} } = options
  const {
    writeInterval = 1000,
    pollInterval = 1000,
    maxWait = 300_000,
    signal = new AbortController().signal,
  } = options
  redactor.add(token)
  for (const url of Object.values(receivers)) if (url) redactor.addUrl(new URL(withStatus(url, 200)))
  const progress = (text: string) => options.progress?.(redactor.text(text))
  const cleaning = new GitHubApi({ url: apiUrl, token, writeInterval, progress })
  const api = cleaning.stoppedBy(signal)
  const path = `/repos/${name}`
  const { headers, data } = await readRepository(api, path)
  const run = randomBytes(4).toString('hex')
  const webhooks = new Webhooks(cleaning, path, run, redactor)
  const branches = new Branches(cleaning, path, run)
  for (const [what, count] of [
    ['webhooks', await webhooks.removeLeftovers()],
    ['branches', await branches.removeLeftovers()],
  ] as const) {
    if (count > 0) progress(`Deleted ${what} of an earlier run: ${count}`)
  }
  return {
    ...{ api, apiUrl, repository: data, path, webhooks, branches, maxWait, pollInterval, token, redactor, signal },
    receivers: { ...receivers, slow: receivers.slow ?? silentAddress },
    ...{ manifestAddress: options.manifestAddress, oldAttempt: options.oldAttempt, large: options.large ?? false },
    enterpriseVersion: headers.get('x-github-enterprise-version') ?? undefined,
    progress,
  }
}

async function readRepository(api: GitHubApi, path: string): Promise<{ headers: Headers; data: Json }> {
  try {
    const { headers, data } = await api.request('GET', path)
    if (isObject(data)) return { headers, data }
  } catch (error) {
    const status = error instanceof ApiError ? error.answer.status : undefined
    if (status === 401) throw new Error('GitHub rejected GITHUB_TOKEN (401): it may have expired')
    if (status === 404)
      throw new Error(`GitHub shows no repository ${path.slice('/repos/'.length)} to this token (404)`)
    throw error
  }
  throw new Error('The answer is not a repository: check that --api-url names the API of GitHub')
}

/** A URL for webhooks whose attempts may fail, but must end soon. */
export function quickUrl({ receivers: { answering } }: Probe): string {
  return answering === undefined ? unreachableUrl : withStatus(answering, 200)
}

/** The URL of a receiver that answers with this status. */
export const withStatus = (url: string, status: number): string => url.replaceAll('{status}', String(status))
