import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { LocalGitHub } from '../../src/testing/index.ts'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'

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
  const { PATH = '', HOME = '' } = process.env
  const usual = ['--port', '0', '--admin-port', '0', '--api-url', local.url, '--json']
  const child = spawn(process.execPath, [...node, main, 'doctor', ...usual, ...args], {
    cwd: folder,
    env: { PATH, HOME, ...compileCache, GITHUB_WEBHOOKS_KEY: secret, ...env },
  })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  child.stderr.on('data', (data) => (output += data))
  const [code] = await once(child, 'close')
  const findings = output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Finding] : []))
  return { code, output, findings, of: (what: string) => findings.filter((finding) => finding.what === what) }
}
