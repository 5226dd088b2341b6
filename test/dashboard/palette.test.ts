// cspell:disable: some texts are abbreviated or misspelled
import { expect, test } from 'vitest'
import { matching, nearestCommand } from '../../dashboard/palette/match.ts'

const commands = ['Handlers', 'Overview', 'Pause all handlers', 'Pause deploy', 'Dark theme'].map((name) => ({ name }))
const names = (typed: string) => matching(typed, commands).map(({ name }) => name)

test.each([
  ['', ['Handlers', 'Overview', 'Pause all handlers', 'Pause deploy', 'Dark theme']],
  ['handlers', ['Handlers', 'Pause all handlers']],
  ['HAND', ['Handlers', 'Pause all handlers']],
  ['pdep', ['Pause deploy']],
  ['over ', ['Overview']],
  ['xyz', []],
])('the text %j finds commands that contain it, before those that have its letters in order', (typed, expected) => {
  expect(names(typed)).toEqual(expected)
})

test.each([
  ['pasue deploy', 'Pause deploy'],
  ['overveiw', 'Overview'],
  ['entirely different', undefined],
])('the text %j is near the command %j', (typed, expected) => {
  expect(nearestCommand(typed, commands)?.name).toBe(expected)
})
