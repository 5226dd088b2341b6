/**
 * `npm run image`: builds the container image, and tries it as compose.yaml runs it: with a read-only file system and
 * without privileges. Needs Docker or Podman. With only buildah, it builds the image and cannot try it.
 *
 *     --from-debian     makes the root file system with scripts/image/root.ts
 *     --root <folder>   only writes this root file system, and its Dockerfile
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { imageParts, partsWith, programsIn } from './image/archive.ts'
import { writeImageRoot } from './image/root.ts'

const root = join(import.meta.dirname, '..')
const name = `hookserver-image-${randomUUID()}`
const image = 'hookserver'
const program = '/opt/hookserver/node_modules/hookserver/dist/cli/main.js'
/** Milliseconds that the server has to become healthy, and then to handle the deliveries. */
const waitTimeout = 60_000
const deliveryCount = 500
/** Megabytes of the compressed layers. */
const sizeLimit = 60
/** A file with a secret in folders from which the image is built. The build must not copy it. */
const plantedFiles = ['.', 'src', 'dashboard'].map((folder) => join(root, folder, `.env.${name}`))
const plantedSecret = `planted-${randomUUID()}`
const { values: options } = parseArgs({ options: { 'from-debian': { type: 'boolean' }, root: { type: 'string' } } })
const folder = mkdtempSync(join(tmpdir(), 'hookserver-image-'))

try {
  if (options.root === undefined) await buildAndTry()
  else buildRoot(options.root)
} catch (error) {
  console.error(`image: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}

async function buildAndTry(): Promise<void> {
  const builder = findBuilder()
  try {
    for (const file of plantedFiles) writeFileSync(file, `GITHUB_WEBHOOKS_KEY=${plantedSecret}\n`)
    buildImage(builder)
  } finally {
    for (const file of plantedFiles) rmSync(file, { force: true })
  }
  if (builder === 'buildah') {
    console.log('image: built. To try it, install Docker or Podman.')
    return
  }
  checkFiles(builder)
  await tryImage(builder)
}

/** @throws {Error} if no program can build an image. The message has the answer of each program that is installed. */
function findBuilder(): string {
  const answers: string[] = []
  for (const builder of ['docker', 'podman', 'buildah']) {
    const { status, stderr } = spawnSync(builder, ['info'], { encoding: 'utf8' })
    if (status === 0) return builder
    if (stderr) answers.push(`\n"${builder} info" failed: ${stderr.trim()}`)
  }
  const cure = answers.length > 0 ? 'Start the daemon' : 'Install Docker, Podman or buildah'
  throw new Error(`nothing was built. ${cure}, and run the command again.${answers.join('')}`)
}

function buildImage(builder: string): void {
  const context = options['from-debian'] ? join(folder, 'context') : root
  if (context !== root) buildRoot(context)
  // Podman and buildah leave out the health check in their own format.
  const format = builder === 'docker' ? [] : ['--format', 'docker']
  execFileSync(builder, ['build', ...format, '--tag', image, context], { stdio: 'inherit' })
}

function buildRoot(target: string): void {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: 'inherit' })
  writeImageRoot(target)
}

/** Checks the layers: no secret, no program except Node.js, and their size. */
function checkFiles(engine: string): void {
  const archive = join(folder, 'image.tar')
  execFileSync(engine, ['save', '--output', archive, image])
  const parts = imageParts(readFileSync(archive))
  const layers = parts.filter(({ files }) => files !== undefined)
  expectEqual('files of the image with the planted secret', partsWith(parts, plantedSecret), [])
  expectEqual('programs', programsIn(parts), ['usr/local/bin/node'])
  const megabytes = layers.reduce((sum, { bytes }) => sum + gzipSync(bytes).length, 0) / 1e6
  console.log(`image: ${layers.length} layers, ${megabytes.toFixed(0)} MB compressed (limit ${sizeLimit} MB)`)
  if (megabytes > sizeLimit) throw new Error('the image is too large')
}

/** Starts a container, sends it deliveries, kills it, starts it again, and stops it. */
async function tryImage(engine: string): Promise<void> {
  const run = (...args: string[]) => execFileSync(engine, args, { encoding: 'utf8' }).trim()
  const node = (...args: string[]) => run('exec', name, '/usr/local/bin/node', ...args)
  const isHealthy = () => run('inspect', '--format', '{{.State.Health.Status}}', name) === 'healthy'
  const linesOf = (text: string) => text.split('\n').filter((line) => line !== '').length
  const deliveries = (...args: string[]) => linesOf(node(program, 'deliveries', 'list', '--all', '--json', ...args))
  const areDone = () => deliveries('--state', 'done') >= deliveryCount
  const until = async (expected: string, check: () => boolean) => {
    for (const deadline = Date.now() + waitTimeout; !check(); await setTimeout(500)) {
      if (Date.now() > deadline) throw new Error(`the container has not become ${expected}:\n${run('logs', name)}`)
    }
  }

  const hardened = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
  const hooks = ['--volume', `${join(root, 'examples')}:/hooks:ro`]
  const secret = ['--env', `GITHUB_WEBHOOKS_KEY=${randomUUID()}`]
  try {
    run('run', '--detach', '--name', name, ...hardened, ...hooks, ...secret, image, 'serve', '/hooks/hooks.ts')
    await until('healthy', isHealthy)
    expectEqual('user', node('--print', 'process.getuid()'), '65532')
    const mounts = node('--print', "fs.readFileSync('/proc/mounts', 'utf8')")
    expectEqual('options of the root file system', /^\S+ \/ \S+ (r[ow])/m.exec(mounts)?.[1], 'ro')

    const url = 'http://127.0.0.1:8000/hooks'
    node(program, 'send', 'issues.opened', '--count', String(deliveryCount), '--concurrency', '20', '--to', url)
    // The server has answered each delivery, so it must have stored each. Some may not be handled yet.
    run('kill', '--signal', 'KILL', name)
    run('wait', name)
    run('start', name)
    await until('healthy', isHealthy)
    await until(`done with ${deliveryCount} deliveries`, areDone)
    expectEqual('number of deliveries', deliveries(), deliveryCount)

    run('stop', '-t', '40', name) // newer versions of Docker have renamed --time
    const code = run('inspect', '--format', '{{.State.ExitCode}}', name)
    if (code !== '0') throw new Error(`the container ended with ${code}:\n${run('logs', name)}`)
    console.log(`image: handled ${deliveryCount} deliveries, lost none when it was killed, and stopped with 0`)
  } finally {
    spawnSync(engine, ['rm', '--force', '--volumes', name])
  }
}

function expectEqual(subject: string, actual: unknown, expected: unknown): void {
  const [shown, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (shown !== wanted) throw new Error(`the ${subject} should be ${wanted}, but it is ${shown}`)
}
