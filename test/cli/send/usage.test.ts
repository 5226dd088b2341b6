/** Tests invalid arguments without a process for each of them. send.test.ts runs the command in a process. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { UsageError } from '../../../src/cli/flags.ts'
import { addSend } from '../../../src/cli/send/index.ts'
import { createFolder } from './fixtures.ts'

const folder = createFolder()
const file = (name: string) => join(folder, name)
writeFileSync(file('empty.json'), '{}')
writeFileSync(file('list.json'), '[]')
writeFileSync(file('broken.json'), '{\n  "a": 1,,\n}')
writeFileSync(file('latin1.json'), Buffer.from('{"a":"\xe9"}', 'latin1'))

async function complaint(args: readonly string[]): Promise<string> {
  const program = new Command().exitOverride()
  addSend(program)
  const unreachable = ['--to', 'http://127.0.0.1:1/']
  const error: unknown = await program
    .parseAsync(['send', '--secret', 's', ...unreachable, ...args], { from: 'user' })
    .catch((error) => error)
  expect(error).toBeInstanceOf(UsageError)
  return (error as Error).message
}

test.each([
  [
    ['isues'],
    /^There is no sample of the event "isues"\. Did you mean "issues"\? "hookserver send --list" lists all samples$/,
  ],
  [['pull_requst.opened'], /no sample of the event "pull_requst"\. Did you mean "pull_request\.opened"\?/],
  [
    ['issues.opend'],
    /no sample of issues with the action "opend"\. Available samples: issues\.opened, issues\.reopened, issues\.ass/,
  ],
  [
    ['issues.closed'],
    /GitHub does send it: pass a payload with --file, or change another sample, as in "send issues\.\w+ --set action=closed"\. Available samples: issues\./,
  ],
  [
    ['secret_scanning_alert'],
    /no sample of the event "secret_scanning_alert"\. GitHub does send it: pass a payload with --file\. "hookserver send --list" lists all samples$/,
  ],
  [['push', '--port', '8101'], /^send has no --port: pass the URL of the server with --to$/],
  [[], /send needs an event, such as push or issues\.opened/],
  [['isues', '--list'], /no sample of the event "isues"/],
  [['push', '--sample', '8'], /--sample: expected a number from 1 to 7, the number of samples of push$/],
  [['push', '--sample', '0'], /--sample: expected a whole number from 1/],
  [['all', '--sample', '1'], /--sample chooses one sample of an event/],
  [['push', '--header', 'X-Real-IP'], /--header takes 'Name: value'/],
  [['push', '--header', 'X-Real-IP: a\nb'], /--header takes 'Name: value'/],
  [['push', '--header', 'X-GitHub-Delivery: 1'], /--header cannot set X-GitHub-Delivery: use --guid$/],
  [['push', '--header', 'content-length: 1'], /--header cannot set content-length/],
  [['push', 'ping'], /send takes one event/],
  [['push', '--count', '0'], /--count: expected a whole number from 1 to 10000000, got "0"$/],
  [['push', '--count', '1.5'], /--count: expected/],
  [['push', '--concurrency', 'many'], /--concurrency: expected a whole number from 1 to 10000, got "many"$/],
  [['push', '--rate', '0'], /--rate: expected a number of requests per second from 0.001 to 100000, got "0"$/],
  [['push', '--rate', '1e3'], /--rate: expected/],
  [['push', '--to', 'localhost:8000'], /--to: expected a URL such as/],
  [['push', '--guid', 'a b'], /--guid: expected visible ASCII/],
  [['push', '--secret', ''], /--secret is empty/],
  [['push', '--tamper', '--unsigned'], /--tamper and --unsigned cannot be used together/],
  [['push', '--set', 'zen'], /--set takes path=value/],
  [['push', '--set', 'ref.a=1'], /--set ref\.a: ref is not an object or array$/],
  [['push', '--file', file('none.json')], /Cannot read --file .*none\.json: ENOENT/],
  [['push', '--file', file('list.json')], /list\.json must contain a JSON object/],
  [['push', '--file', file('broken.json')], /broken\.json is not JSON: see line 2 column 10$/],
  [['push', '--file', file('latin1.json')], /latin1\.json must be encoded in UTF-8/],
  [['all', '--file', file('empty.json')], /--file contains one payload: name its event/],
  [['no-event', '--file', file('empty.json')], /"no-event" is not an event name/],
  [
    ['issues.opened', '--file', file('empty.json')],
    /The action in the payload is not "opened": leave out the action, or add --set action=opened/,
  ],
])('rejects %j', async (args, message) => {
  expect(await complaint(args)).toMatch(message)
})
