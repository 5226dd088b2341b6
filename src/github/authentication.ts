import type { InstallationTokens } from './installation-tokens.ts'

/** Octokit's `request` with the part of its options that authentication fills in. */
interface Request {
  (endpoint: Endpoint): Promise<unknown>
  endpoint: { merge(route: unknown, parameters: unknown): Endpoint }
}

interface Endpoint {
  headers: Record<string, unknown>
}

/** How an Octokit says who it is: an `authStrategy` gives one. */
export interface Authentication {
  /** What `octokit.auth()` gives: the token, for `git clone` and the like. */
  (): Promise<{ type: 'token'; tokenType: 'installation'; token: string; installationId: number }>
  hook(request: Request, route: unknown, parameters: unknown): Promise<unknown>
}

/** How often one request is tried with a token that is refused, or with its successor. */
const mostTries = 3

/** As an installation of an App. A token that is refused is replaced, for GitHub may revoke one before its time. */
export function asInstallation(installation: number, tokens: InstallationTokens): Authentication {
  const auth = async () => {
    const token = await tokens.get(installation)
    return { type: 'token', tokenType: 'installation', token, installationId: installation } as const
  }
  const hook: Authentication['hook'] = async (request, route, parameters) => {
    const endpoint = request.endpoint.merge(route, parameters)
    let token = await tokens.get(installation)
    for (let tries = 1; ; tries++) {
      endpoint.headers.authorization = `token ${token}`
      try {
        return await request(endpoint)
      } catch (error) {
        if ((error as { status?: unknown }).status !== 401 || tries === mostTries) throw error
        token = await tokens.replace(installation, token)
      }
    }
  }
  return Object.assign(auth, { hook })
}
