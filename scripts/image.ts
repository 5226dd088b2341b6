/**
 * `npm run image`: builds the container image, and tries it as compose.yaml runs it: with a read-only file system and
 * without privileges. Needs Docker or Podman. With only buildah, it builds the image and cannot try it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const root = join(import.meta.dirname, '..')
const name = `hookserver-image-${randomUUID()}`
const image = 'hookserver'
/** Milliseconds that the server has to become healthy. */
const startTimeout = 30_000

const exists = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const engine = ['docker', 'podman'].find(exists)

if (engine) {
  execFileSync(engine, ['build', '--tag', image, '.'], { cwd: root, stdio: 'inherit' })
  await tryImage(engine)
} else if (exists('buildah')) {
  execFileSync('buildah', ['build', '--format', 'docker', '--tag', image, '.'], { cwd: root, stdio: 'inherit' })
  console.log('image: built. To try it, install Docker or Podman: buildah does not publish ports.')
} else {
  console.error('image: nothing was built. Install Docker, Podman or buildah, and run the command again.')
  process.exitCode = 1
}

/** Starts a container, sends it a delivery, and stops it. */
async function tryImage(engine: string): Promise<void> {
  const run = (...args: string[]) => execFileSync(engine, args, { encoding: 'utf8' }).trim()
  const hardened = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
  const hooks = ['--volume', `${join(root, 'examples')}:/hooks:ro`]
  const secret = ['--env', `GITHUB_WEBHOOKS_KEY=${randomUUID()}`]
  run('run', '--detach', '--name', name, ...hardened, ...hooks, ...secret, image, 'serve', '/hooks/hooks.ts')
  const hookserver = (...args: string[]) => {
    return run('exec', name, 'node', '/opt/hookserver/node_modules/hookserver/dist/cli/main.js', ...args)
  }
  try {
    const deadline = Date.now() + startTimeout
    while (run('inspect', '--format', '{{.State.Health.Status}}', name) !== 'healthy') {
      if (Date.now() > deadline) throw new Error(`The container is not healthy:\n${run('logs', name)}`)
      await setTimeout(500)
    }
    console.log(hookserver('send', 'issues.opened', '--to', 'http://127.0.0.1:8000/hooks'))
    console.log(hookserver('deliveries', 'list'))
    run('stop', '--time', '40', name)
    const code = run('inspect', '--format', '{{.State.ExitCode}}', name)
    if (code !== '0') throw new Error(`The container ended with ${code}:\n${run('logs', name)}`)
    const megabytes = Number(run('image', 'inspect', '--format', '{{.Size}}', image)) / 1e6
    console.log(`image: ${megabytes.toFixed(0)} MB, answered a delivery, and stopped with 0`)
  } finally {
    run('rm', '--force', '--volumes', name)
  }
}
