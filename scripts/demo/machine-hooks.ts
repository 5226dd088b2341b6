/** The handler of `npm run demo -- --postgres`: takes 50 ms, and writes to the file JOURNAL when it begins and ends. */
import { appendFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Hooks } from 'hookserver'

const { MACHINE = '', JOURNAL = '' } = process.env
const note = (mark: string, guid: string) => appendFileSync(JOURNAL, `${MACHINE} ${mark} ${guid}\n`)

export const hooks: Hooks = new Hooks()

hooks.on('*', { name: 'work', concurrency: 4, backoff: 100 }, async ({ guid }) => {
  note('begins', guid)
  await setTimeout(50)
  note('ends', guid)
})
