/** `npm run image` on machines that cannot build an image. */
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { root } from './files.ts'

/** Runs the script on a machine whose only programs are these. */
function build(programs: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-programs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  return spawnSync(process.execPath, [join(root, 'scripts/image.ts')], { env: { PATH: folder }, encoding: 'utf8' })
}

test('says what to install', () => {
  const { status, stderr } = build({})
  expect(stderr).toBe('image: nothing was built. Install Docker, Podman or buildah, and run the command again.\n')
  expect(status).toBe(1)
})

test('shows the answer of a program without its daemon', () => {
  const { status, stderr } = build({ docker: 'echo "Cannot connect to the Docker daemon" >&2; exit 1' })
  expect(stderr).toBe(
    'image: nothing was built. Start the daemon, and run the command again.\n' +
      '"docker info" failed: Cannot connect to the Docker daemon\n',
  )
  expect(status).toBe(1)
})

test('uses the next program if the daemon of the first one is missing, and keeps the health check', () => {
  const { stdout } = build({ docker: 'exit 1', buildah: '[ "$1" = info ] || echo "$@"' })
  expect(stdout).toContain(`build --format docker --tag hookserver ${root}`)
  expect(globSync('{,src/,dashboard/}.env.hookserver-image-*', { cwd: root })).toEqual([])
})
