import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { pack } from '../../src/postgres/contents.ts'
import { type Contents, PayloadSearch } from '../../src/postgres/search-client.ts'

const encoder = new TextEncoder()

async function contentsOf(text: string, form: Contents['form'] = 'json'): Promise<Contents> {
  const [headers, body] = [encoder.encode('{}'), encoder.encode(text)]
  return { bytes: await pack(headers, body), headers_size: headers.length, size: body.length, form }
}

function open(): PayloadSearch {
  const searching = new PayloadSearch()
  onTestFinished(() => searching.close())
  return searching
}

const paths = [{ path: ['a', 'b'], value: 'x' }]

test('finds payloads in JSON and in form bodies', async () => {
  const contents = await Promise.all([
    contentsOf('{"a":{"b":"X"}}'),
    contentsOf('{"a":{"b":"y"}}'),
    contentsOf('no JSON'),
    contentsOf(`payload=${encodeURIComponent('{"a":{"b":"x"}}')}`, 'form'),
    contentsOf(`{"a":{"b":["x"]},"filling":"${'x'.repeat(1_000_000)}"}`),
  ])
  expect(await open().matches(contents, paths)).toEqual(['yes', 'no', 'no', 'yes', 'yes'])
})

test('answers each of several concurrent searches', async () => {
  const searching = open()
  const values = Array.from({ length: 20 }, (_, index) => `v${index}`)
  const contents = await Promise.all(values.map((value) => contentsOf(JSON.stringify({ a: value }))))
  const found = values.map((value) => searching.matches(contents, [{ path: ['a'], value }]))
  expect(await Promise.all(found)).toEqual(values.map((value) => values.map((one) => (one === value ? 'yes' : 'no'))))
})

test('rejects a search whose thread ends, and starts another thread for the next', async () => {
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  onTestFinished(() => post.mockRestore())
  const searching = open()
  const broken = { ...(await contentsOf('{}')), form: 'json', bytes: undefined } as unknown as Contents
  expect(await searching.matches([broken], paths)).toEqual(['no']) // damaged contents match nothing
  const contents = await contentsOf(JSON.stringify({ text: 'x'.repeat(10_000_000) }))
  const lost = searching.matches(
    Array.from({ length: 100 }, () => contents),
    paths,
  )
  await vi.waitFor(() => expect(post).toHaveBeenCalledTimes(2))
  void (post.mock.contexts.at(-1) as Worker).terminate()
  await expect(lost).rejects.toThrow('The thread "hookserver search" ended')
  expect(await searching.matches([await contentsOf('{"a":{"b":"x"}}')], paths)).toEqual(['yes'])
})
