import assert from 'node:assert/strict'
import { parseQuery } from '../../inbox/query/parse-query.ts'
import { failureOf } from '../../inbox/task-failure.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { storeNew } from './deliveries.ts'
import { fill, type Name, namesIn } from './filters.ts'
import { storeWithGoneTask, TestWorker } from './test-worker.ts'

/** The failure of the issue, with the id of its failure group. */
const boom = failureOf({ handler: 'b', outcome: 'failed', error: 'Error: boom', startedAt: 0 })

/** Search texts, and the deliveries that each matches, newest first. */
const found: [id: string, text: string, names: Name[]][] = [
  ['states', 'state:retrying,pending', ['new', 'fetched', 'other bytes', 'issue']],
  ['not-state', '-state:ignored,pending', ['issue', 'push']],
  ['not-states', '-state:ignored -state:pending', ['issue', 'push']],
  ['events', 'event:push,issues.opened', ['replay', 'other bytes', 'issue', 'push']],
  ['not-event', '-event:push', ['new', 'fetched', 'release', 'issue']],
  ['event-wildcard', 'event:p*', ['fetched', 'replay', 'other bytes', 'push']],
  ['event-wildcard-none', 'event:pull_req*', []],
  ['not-event-wildcard', '-event:p*', ['new', 'release', 'issue']],
  ['any-action', 'event:issues.*', ['issue']],
  ['repository-wildcard', 'repo:octo/*', ['release', 'issue', 'push']],
  ['organization', 'org:octo', ['release', 'issue', 'push']],
  ['organization-none', 'org:oct', []],
  ['any-repository', 'repo:*', ['release', 'issue', 'push']],
  ['not-repository', '-repo:octo/app', ['new', 'fetched', 'replay', 'other bytes', 'release']],
  ['sender-wildcard', 'sender:hub*', ['release', 'push']],
  ['not-sender', '-sender:hubot org:octo', ['issue']],
  ['handlers', 'handler:a,b', ['other bytes', 'issue', 'push']],
  ['not-handler', '-handler:b org:octo', ['release', 'push']],
  ['number', '#7', ['issue']],
  ['number-in-repository', 'octo/app#7', ['issue']],
  ['number-in-other', 'octo/other#7', []],
  ['address-issue', 'https://github.com/octo/app/issues/7', ['issue']],
  ['address-pull-request', 'https://github.com/octo/app/pull/8', []],
  ['address-repository', 'https://github.com/octo/other', ['release']],
  ['address-organization', 'https://github.com/octo', ['release', 'issue', 'push']],
  ['address-commit', 'https://github.com/octo/app/commit/c0ffee1d', ['push']],
  ['address-branch', 'https://github.com/octo/app/tree/main/src', ['push']],
  ['quoted-words', '"guid of the push"', ['other bytes', 'push']],
  ['short-sha', 'c0ffee1', ['push']],
  ['short-sha-none', 'c0ffee2', []],
  ['branch', 'branch:main', ['push']],
  ['branch-wildcard', 'branch:ma*', ['push']],
  ['branch-prefix', 'branch:mai', []],
  ['or', 'state:retrying or event:fork', ['new', 'issue']],
  ['or-without-index', 'handler:b or sender:hubot', ['other bytes', 'release', 'issue', 'push']],
  ['or-not', '-state:pending or event:fork', ['new', 'replay', 'release', 'issue', 'push']],
  ['or-and', 'org:octo state:done or state:ignored', ['release', 'push']],
  ['or-word', 'is:pulled or OPEN', ['fetched', 'issue']],
  ['not-word', '-push', ['new', 'fetched', 'release', 'issue']],
  ['flags', 'is:replayed,conflict', ['replay', 'other bytes']],
  ['not-flag', '-is:pulled state:pending', ['new', 'other bytes']],
  ['error', 'error:BOOM', ['issue']],
  ['error-word', 'error:error', ['issue']],
  ['error-number', 'error:4711', []],
  ['word-in-error', 'BOOM', ['issue']],
  ['word-or-column', 'boom or event:fork', ['new', 'issue']],
  ['not-word-in-error', '-boom org:octo', ['release', 'push']],
  ['failure', `failure:${boom?.id},1`, ['issue']],
  ['not-failure', `-failure:${boom?.id} org:octo`, ['release', 'push']],
  ['error-none', 'error:b__m', []],
  ['not-error', '-error:boom org:octo', ['release', 'push']],
  ['duration-above', 'duration:>4ms', ['issue', 'push']],
  ['duration-below', 'duration:<5ms', []],
]

export const searchTextCases: InboxContractCase[] = [
  ...found.map(
    ([id, text, names]) =>
      ({
        id: `search-${id}`,
        name: names.length === 0 ? `lists nothing for ${text}` : `lists the deliveries that match ${text}`,
        needs: ['DeliveryReader'],
        async run(host) {
          const inbox = await openNew(host)
          const ids = await fill(inbox)
          assert.deepEqual(namesIn(await inbox.list(parseQuery(text)), ids), names)
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'search-tasks',
    name: 'lists the deliveries that have a task that is gone, or that has started more than once',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const gone = await storeWithGoneTask(inbox, worker)
      const failed = await storeNew(inbox)
      await worker.handle(failed, { a: 'dead' })
      const find = async (text: string) => (await inbox.list(parseQuery(text))).deliveries.map(({ id }) => id)
      assert.deepEqual(await find('is:gone'), [gone])
      assert.deepEqual(await find('-is:gone'), [failed])
      assert.deepEqual(await find('is:retried'), [])
      await inbox.retry({ query: parseQuery('is:gone') }, { handler: 'b' })
      assert.deepEqual(await find('is:gone'), [])
      for (const task of await worker.claim('b')) await worker.finish(task, 'succeeded')
      assert.deepEqual(await find('is:retried,conflict'), [gone])
      assert.deepEqual(await find('-is:retried'), [failed])
    },
  },
]
