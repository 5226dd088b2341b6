/** `npm run demo` must succeed, and leave no files and no processes behind. */
import { expect, test } from 'vitest'
import { runDemo } from './run-demo.ts'

test('stores and handles every sample with hookserver serve, and leaves nothing behind', async () => {
  const { code, output, url, left } = await runDemo()
  expect(output).toContain('330 stored and answered 202 Accepted, 1 copy answered 200 Duplicate, 2 forgeries rejected')
  expect(output).toMatch(/^star +done +3 +12 +counted with attempt 3$/m)
  expect(output).toMatch(/^ {2}hook:deployment_review attempt 4: dead after \d+ ms Error: The cluster is gone$/m)
  expect(output).toMatch(/\n330 deliveries stored, 330 handled: 1 dead, 329 done; 0 failures\n$/)
  expect([code, left]).toEqual([0, []])
  await expect(fetch(url)).rejects.toThrow()
})

test('stops on Ctrl-C while it sends, and leaves nothing behind', async () => {
  const { code, output, url, left } = await runDemo({ stopAt: 'listens at' })
  expect([code, left]).toEqual([130, []])
  expect(output).not.toContain('deliveries stored')
  await expect(fetch(url)).rejects.toThrow()
})
