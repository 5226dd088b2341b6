import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Payload } from '../../dashboard/payload/payload.ts'
import type { TreeKey } from '../../dashboard/payload/protocol.ts'
import type { Row } from '../../dashboard/payload/row.ts'
import { maxOpened } from '../../dashboard/payload/tree.ts'

const bytesOf = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer as ArrayBuffer

function load(text: string): Payload {
  const payload = new Payload()
  payload.load({ bytes: bytesOf(text), form: 'json' })
  return payload
}

const all = (payload: Payload): Row[] => payload.rows({ from: 0, count: 1_000_000 })
/** Names, indented as they are shown. */
const shown = (payload: Payload): string[] => all(payload).map(({ level, name }) => ' '.repeat(level - 1) + name)
const nested = '{"a":{"b":[1,{"c":2}],"d":{}},"e":[],"f":"x"}'

describe('the rows', () => {
  test('are those of the expanded objects', () => {
    const payload = load(nested)
    expect(shown(payload)).toEqual(['a', 'e', 'f'])
    expect(payload.toggle({ position: 0 })).toEqual({ rows: 5 })
    expect(payload.toggle({ position: 1 })).toEqual({ rows: 7 })
    expect(shown(payload)).toEqual(['a', ' b', '  0', '  1', ' d', 'e', 'f'])
    expect(payload.toggle({ position: 0 })).toEqual({ rows: 3 })
    expect(shown(payload)).toEqual(['a', 'e', 'f'])
  })

  test('have their kind and position', () => {
    const [a, e, f] = all(load('{"a":{"login":"octocat"},"e":[],"f":"x\\ny"}'))
    expect(a).toMatchObject({ nth: 1, of: 3, level: 1, kind: 'object', size: 1, isOpen: false, text: 'octocat' })
    expect(e).toMatchObject({ nth: 2, kind: 'list', size: 0, isOpen: undefined })
    expect(f).toMatchObject({ nth: 3, kind: 'string', size: 3, isOpen: undefined, text: '"x\\ny"' })
  })

  test('are expanded down to a level', () => {
    const payload = load(nested)
    expect(payload.openTo({ level: 2 })).toEqual({ rows: 5, isCut: false })
    expect(payload.openTo({ level: 99 })).toEqual({ rows: 8, isCut: false })
    expect(shown(payload)).toEqual(['a', ' b', '  0', '  1', '   c', ' d', 'e', 'f'])
    expect(payload.openTo({ level: 1 })).toEqual({ rows: 3, isCut: false })
  })

  test('are navigated by keys', () => {
    const payload = load(nested)
    let position = 0
    const press = (...keys: TreeKey[]) => {
      for (const key of keys) position = payload.press({ position, key, page: 2 }).position
      return payload.rows({ from: position, count: 1 })[0]?.name
    }
    expect(press('ArrowUp')).toBe('a')
    expect(press('ArrowRight')).toBe('a')
    expect(press('ArrowRight')).toBe('b')
    expect(press('Enter', 'PageDown')).toBe('1')
    expect(press('ArrowLeft')).toBe('b')
    expect(press('ArrowLeft', 'ArrowDown')).toBe('d')
    expect(press('ArrowRight', 'ArrowDown')).toBe('e')
    expect(press('PageDown', 'PageDown')).toBe('f')
    expect(press('Home', ' ', 'End')).toBe('f')
    expect(shown(payload)).toEqual(['a', 'e', 'f'])
  })

  test('are the same from every start, after any expanding and collapsing', () => {
    const moves = fc.array(fc.nat(), { maxLength: 30 })
    const values = fc.oneof(fc.object({ maxDepth: 4 }), fc.array(fc.object({ maxDepth: 2 })))
    fc.assert(
      fc.property(values, moves, (value, positions) => {
        const payload = load(JSON.stringify(value))
        for (const number of positions) {
          const before = all(payload)
          if (before.length === 0) return
          payload.toggle({ position: number % before.length })
        }
        const rows = all(payload)
        expect(rows.map(({ position }) => position)).toEqual(rows.map((_row, index) => index))
        for (const { position, level, isOpen } of rows) {
          expect(payload.rows({ from: position, count: 1 })).toEqual([rows[position]])
          if (isOpen) continue
          const up = rows.slice(0, position).findLastIndex((row) => row.level === level - 1)
          const pressed = payload.press({ position, key: 'ArrowLeft', page: 1 })
          expect(pressed).toEqual({ position: up < 0 ? position : up, rows: rows.length })
        }
      }),
    )
  })

  test('of very many objects are not all expanded', () => {
    const payload = load(JSON.stringify({ list: Array.from({ length: maxOpened + 10 }, () => [1]) }))
    expect(payload.openTo({ level: 9 })).toMatchObject({ isCut: true })
    expect(all(payload).at(-1)).toMatchObject({ isOpen: false })
  })

  test('of 10,000 levels are shown, searched and counted', async () => {
    const payload = load(`{"deep":${'['.repeat(10_000)}"end"${']'.repeat(10_000)}}`)
    expect(payload.openTo({ level: Number.MAX_SAFE_INTEGER })).toEqual({ rows: 10_001, isCut: false })
    expect(payload.rows({ from: 10_000, count: 1 })).toMatchObject([{ level: 10_001, text: '"end"' }])
    payload.openTo({ level: 1 })
    expect(await payload.search({ text: 'END' })).toEqual({ count: 1, isCut: false })
    expect(payload.hit({ index: 0 })).toEqual({ position: 10_000, rows: 10_001 })
    expect(payload.rowPath({ position: 10_000 })).toMatchObject({ searchPath: '.deep', find: '.deep:end' })
  })

  test('may have hostile names', () => {
    const payload = load('{"__proto__":{"x":1},"constructor":"c","hasOwnProperty":1,"":2,"a":1,"a":3}')
    expect(shown(payload)).toEqual(['__proto__', 'constructor', 'hasOwnProperty', '', 'a'])
    payload.toggle({ position: 0 })
    expect(all(payload)[1]).toMatchObject({ name: 'x', text: '1' })
    expect(payload.json({ position: 5 })).toBe('3')
    expect(payload.json({ position: 0 })).toBe('{\n  "x": 1\n}')
  })

  test('of long texts are short, with the full text available', () => {
    const payload = load(JSON.stringify({ text: `${'x'.repeat(1_000_000)}\ud800` }))
    const [row] = all(payload)
    expect(row).toMatchObject({ size: 1_000_001, isCut: true })
    expect(row?.text.length).toBeLessThan(300)
    expect(payload.rowPath({ position: 0 })).toMatchObject({ length: 1_000_001, find: undefined })
    expect(payload.lines({ position: 0, columns: 100 })).toEqual({ count: 10_001 })
    expect(payload.json({ position: 0 })).toBe(`"${'x'.repeat(1_000_000)}\\ud800"`)
  })
})

describe('a search', () => {
  const payload = load('{"a":{"Login":"octocat"},"b":[1,null,true,{"c":"LOGIN 1"}],"d":"a.b"}')
  const found = async (text: string) => {
    const answer = await payload.search({ text })
    return Array.from({ length: answer?.count ?? 0 }, (_, index) => {
      const { position } = payload.hit({ index })
      return payload.rowPath({ position }).path
    })
  }

  test.each([
    ['login', ['a.Login', 'b[3].c']],
    ['1', ['b[0]', 'b[3].c']],
    ['null', ['b[1]']],
    ['a.b', ['d']],
    ['.', ['d']],
    ['(', []],
    ['', []],
  ])('for %j finds names and values', async (text, paths) => {
    expect(await found(text)).toEqual(paths)
  })

  test('expands the objects that contain its hits', async () => {
    payload.openTo({ level: 1 })
    await payload.search({ text: 'LOGIN 1' })
    expect(payload.hit({ index: 0 })).toEqual({ position: 6, rows: 8 })
    expect(payload.rows({ from: 6, count: 1 })).toMatchObject([{ name: 'c', level: 3 }])
  })

  test('is canceled by the next one', async () => {
    const large = load(JSON.stringify(Array.from({ length: 300_000 }, (_, index) => ({ name: `name ${index}` }))))
    const [first, second] = await Promise.all([large.search({ text: 'none' }), large.search({ text: 'name 299999' })])
    expect([first, second]).toEqual([undefined, { count: 1, isCut: false }])
  })

  test('stops at a number of hits', async () => {
    const many = load(JSON.stringify(Array.from({ length: 20_000 }, () => 'x')))
    expect(await many.search({ text: 'x' })).toEqual({ count: 10_000, isCut: true })
  })
})

describe('a body', () => {
  const why = (text: string | Uint8Array, form: 'json' | 'form' = 'json') => {
    const bytes = typeof text === 'string' ? bytesOf(text) : (text.slice().buffer as ArrayBuffer)
    return new Payload().load({ bytes, form })
  }

  test('that is a form contains the payload', () => {
    expect(why('x=1&payload=%7B%22a%22%3A+1%7D', 'form')).toMatchObject({ rows: 1, why: undefined })
  })

  test.each([
    ['', 'json', 'The body is empty'],
    ['{"a":1,', 'json', 'The body is not JSON: '],
    ['"text"', 'json', 'The body is JSON, but neither an object nor an array'],
    [new Uint8Array([0x7b, 0xff]), 'json', 'The body is not UTF-8'],
    ['a=b', 'form', 'The body is not a form with a payload: '],
    ['payload=%ff', 'form', 'The body is not a form with a payload: '],
    ['payload=x', 'form', 'The field “payload” is not JSON: '],
  ] as const)('without a payload is explained: %j', (text, form, says) => {
    const { rows, why: said, size } = why(text, form)
    expect(rows).toBeUndefined()
    expect(said).toMatch(new RegExp(`^${says}`))
    expect(size).toBe(text.length)
  })

  test('is shown as bytes, and as lines that do not split characters', () => {
    const payload = load('{"a":"🎉🎉🎉"}\r\n\nend')
    expect([...payload.bytes({ from: 1, count: 3 })]).toEqual([0x22, 0x61, 0x22])
    payload.lines({ columns: 7 })
    expect(payload.slices({ from: 0, count: 9 })).toEqual(['{"a":"', '🎉🎉🎉"', '}', '', 'end'])
  })
})

describe('the link to GitHub', () => {
  const linkOf = (payload: object) => new Payload().load({ bytes: bytesOf(JSON.stringify(payload)), form: 'json' }).link
  const repository = { html_url: 'https://github.com/acme/shop' }

  test.each([
    [{ issue: { html_url: 'https://github.com/i' }, comment: { html_url: 'https://github.com/c' } }, 'c'],
    [{ pull_request: { html_url: 'https://github.com/p' }, repository }, 'p'],
    [
      { compare: 'https://github.com/compare', head_commit: { url: 'https://github.com/head' }, commits: [1, 2] },
      'compare',
    ],
    [{ compare: 'https://github.com/compare', head_commit: { url: 'https://github.com/head' }, commits: [1] }, 'head'],
    [{ repository }, 'acme/shop'],
    [{ issue: { html_url: 'javascript:alert(1)' }, repository }, 'acme/shop'],
  ])('is found in %j', (payload, path) => {
    expect(linkOf(payload)).toBe(`https://github.com/${path}`)
  })

  test.each([
    {},
    { issue: 1 },
    { repository: { html_url: 'data:text/html,x' } },
    { issue: { html_url: 'java\nscript:alert(1)' } },
  ])('does not exist for %j', (payload) => {
    expect(linkOf(payload)).toBeUndefined()
  })
})
