import { onTestFinished } from 'vitest'
import { LocalGitHub } from '../../src/testing/index.ts'
import { hookserver } from './command.ts'

interface Finding {
  what: string
  state: 'fine' | 'warning' | 'failed'
  found: string
  cure?: string
}

export const secret: string = 'a secret that is long enough'

/** Runs `hookserver doctor` in a folder. Only the mistakes that the test makes cause warnings or failures. */
export async function runDoctor(
  folder: string,
  args: string[] = [],
  { github, env = {}, node = [] }: { github?: LocalGitHub; env?: Record<string, string>; node?: string[] } = {},
) {
  const local = github ?? (await LocalGitHub.start())
  if (!github) onTestFinished(() => local.close())
  const usual = ['--port', '0', '--admin-port', '0', '--api-url', local.url, '--json']
  const command = ['doctor', ...usual, ...args]
  const variables = { GITHUB_WEBHOOKS_KEY: secret, ...env }
  const { code, stdout, stderr } = await hookserver(command, variables, { cwd: folder, node })
  const findings = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Finding] : []))
  const of = (what: string) => findings.filter((finding) => finding.what === what)
  return { code, output: stdout + stderr, findings, of }
}
