import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settings } from '../../../src/server/config/settings.ts'

const file = readFileSync(new URL('../../../src/server/config/module-config.ts', import.meta.url), 'utf8')
const comments = [...file.matchAll(/^ {2}\/\*\* (.*) \*\/\n {2}readonly (\w+)\?:/gm)].map(
  ([, text = '', name = '']) => ({
    name,
    text: text.replaceAll('`', ''),
  }),
)

test.each(Object.entries(settings).filter(([name]) => comments.some((one) => one.name === name)))(
  'the comment of the member %s begins as the help of its setting',
  (name, { help }) => {
    const [start] = help.split(/[;(]/)
    const comment = comments.find((one) => one.name === name)?.text
    // `recover` may also be an object with all settings of recovery.
    if (name !== 'recover') expect(comment).toContain(start?.trim())
  },
)

test('each member has a comment', () => {
  expect(file.match(/^ {2}readonly /gm)).toHaveLength(comments.length)
})
