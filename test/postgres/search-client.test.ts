import { expect, onTestFinished, test } from 'vitest'
import { pack } from '../../src/postgres/contents.ts'
import { PayloadSearch } from '../../src/postgres/search-client.ts'
import type { Contents } from '../../src/postgres/search-thread.ts'

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

test('payloads are looked into, in whatever form they came', async () => {
  const contents = await Promise.all([
    contentsOf('{"a":{"b":"X"}}'),
    contentsOf('{"a":{"b":"y"}}'),
    contentsOf('no JSON'),
    contentsOf(`payload=${encodeURIComponent('{"a":{"b":"x"}}')}`, 'form'),
    contentsOf(`{"a":{"b":["x"]},"filling":"${'x'.repeat(1_000_000)}"}`),
  ])
  expect(await open().matches(contents, paths)).toEqual(['yes', 'no', 'no', 'yes', 'yes'])
})

test('several searches each get their own answers', async () => {
  const searching = open()
  const values = Array.from({ length: 20 }, (_, index) => `v${index}`)
  const contents = await Promise.all(values.map((value) => contentsOf(JSON.stringify({ a: value }))))
  const found = values.map((value) => searching.matches(contents, [{ path: ['a'], value }]))
  expect(await Promise.all(found)).toEqual(values.map((value) => values.map((one) => (one === value ? 'yes' : 'no'))))
})

test('a thread that ends is told of, and the next search has another one', async () => {
  const searching = open()
  const broken = { ...(await contentsOf('{}')), form: 'json', bytes: undefined } as unknown as Contents
  expect(await searching.matches([broken], paths)).toEqual(['no']) // what is damaged has nothing in it
  const nothing = searching.matches(undefined as never, paths)
  await expect(nothing).rejects.toThrow('The thread that looks into payloads has ended')
  expect(await searching.matches([await contentsOf('{"a":{"b":"x"}}')], paths)).toEqual(['yes'])
})
