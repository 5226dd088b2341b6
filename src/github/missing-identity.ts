import { githubApi, type Settings } from '../settings.ts'
import type { Target } from './target.ts'

/** Why GitHub would show nobody here the deliveries of these targets, and what to do about it. */
export function missingIdentity(
  targets: readonly Target[],
  { app, token, apiUrl }: Pick<Settings, 'app' | 'token' | 'apiUrl'>,
): string | undefined {
  if (app) return undefined
  const asApp = 'GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY'
  if (targets.includes('app')) return `An App's own deliveries are shown to the App alone: set ${asApp}`
  if (token !== undefined) return undefined
  const asUser = apiUrl === githubApi ? 'GITHUB_TOKEN' : `HOOKSERVER_GITHUB_TOKEN (GITHUB_TOKEN is for ${githubApi})`
  return `GitHub shows deliveries to whoever it knows: set ${asUser}, or ${asApp}`
}
