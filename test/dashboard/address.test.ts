import { expect, test } from 'vitest'
import { linkTo, routeIn } from '../../dashboard/address.ts'

test.each([
  ['', ['deliveries'], {}],
  ['#/', ['deliveries'], {}],
  ['#token=abc', ['deliveries'], {}],
  ['#/deliveries/42', ['deliveries', '42'], {}],
  ['#/deliveries?q=state:dead+since:2h&before=7', ['deliveries'], { q: 'state:dead since:2h', before: '7' }],
  ['#/overview?window=%E0%A4', ['overview'], { window: '\ufffd' }],
])('parses the fragment %s', (fragment, path, search) => {
  expect(routeIn(fragment)).toEqual({ path, search })
})

test('a link round-trips any search', () => {
  const q = 'title:"100 % & more" #1 ?+'
  expect(routeIn(linkTo('deliveries', { q, before: undefined, empty: '' }))).toEqual({
    path: ['deliveries'],
    search: { q },
  })
})
