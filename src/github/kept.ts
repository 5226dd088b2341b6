const day = 86_400_000

/** Milliseconds for which GitHub keeps deliveries: they can be read, and asked for again. */
export const keptAt = (apiUrl: string): number => (isGitHubCom(apiUrl) ? 3 * day : 7 * day)

/** Or one of its subdomains for companies, at ghe.com; all else is an Enterprise Server. */
const isGitHubCom = (apiUrl: string): boolean => /^https:\/\/api\.(github\.com|[\w-]+\.ghe\.com)$/.test(apiUrl)
