import { expect, test } from 'vitest'
import { Table } from '../../src/cli/table.ts'

const columns = [{ title: 'ID' }, { title: 'STATE' }, { title: 'EVENT', minWidth: 8 }, { title: 'TITLE', minWidth: 5 }]
const rows = [['7', 'pending', 'pull_request.opened', 'Fix the 🚀 of the shop']]
const linesIn = (width: number) => new Table(columns, width).lines(rows)

test.each([
  [80, ['ID  STATE    EVENT                TITLE', '7   pending  pull_request.opened  Fix the 🚀 of the shop']],
  [42, ['ID  STATE    EVENT          TITLE', '7   pending  pull_request…  Fix the 🚀 of…']],
  [30, ['ID  STATE    EVENT     TITLE', '7   pending  pull_re…  Fix th…']],
  [20, ['ID  STATE    EVENT', '7   pending  pull_r…']],
  [13, ['ID  STATE', '7   pending']],
  [9, ['ID  STATE', '7   pend…']],
  [1, ['…', '7']],
])('in %i columns, cuts the columns, and leaves out the last ones if they do not fit', (width, lines) => {
  expect(linesIn(width)).toEqual(lines)
})

test('lays out very many rows', () => {
  const rows = Array.from({ length: 200_000 }, () => ['1', 'push'])
  expect(new Table([{ title: 'ID' }, { title: 'EVENT' }], 80).lines(rows)).toHaveLength(200_001)
})
