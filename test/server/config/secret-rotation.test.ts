import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { withSecretFile } from '../../../src/server/config/secret-rotation.ts'
import { project } from '../service.ts'

function open() {
  const folder = project({ secrets: 'new\nold\n' })
  return { folder, path: join(folder, 'secrets') }
}

describe('the file of the secrets', () => {
  test('is locked while a rotation replaces it, and keeps its mode whatever the umask is', async () => {
    const { folder, path } = open()
    chmodSync(path, 0o640)
    const umask = process.umask(0o077)
    onTestFinished(() => void process.umask(umask))
    await withSecretFile(path, async ({ secrets, write }) => {
      expect(secrets).toEqual(['new', 'old'])
      expect(existsSync(`${path}.lock`)).toBe(true)
      write(['newest', ...secrets])
    })
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['newest\nnew\nold\n', 0o640])
    expect(readdirSync(folder)).toEqual(['secrets'])
  })

  test('is unlocked after an error', async () => {
    const { path } = open()
    const failing = withSecretFile(path, () => Promise.reject(new Error('as planned')))
    await expect(failing).rejects.toThrow('as planned')
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  test('is changed by one rotation at a time', async () => {
    const { path } = open()
    await withSecretFile(path, async () => {
      await expect(withSecretFile(path, async () => {})).rejects.toThrow(`If it crashed, delete ${path}.lock`)
    })
  })

  test('must not be a symbolic link, as in a volume that another program manages', async () => {
    const { folder, path } = open()
    symlinkSync(path, join(folder, 'link'))
    await expect(withSecretFile(join(folder, 'link'), async () => {})).rejects.toThrow('it is not a regular file')
  })
})
