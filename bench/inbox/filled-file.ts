import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from 'hookserver/sqlite'
import { push } from '../delivery.ts'

/**
 * Creates an inbox with a push that is not matched yet, and copies of it with other events, repositories, senders and
 * titles. Each copy is in a pack of its own. Most copies have one task, which is `done` or, rarely, `dead`. One of 20 copies
 * is `retrying`, in one of 200 failure groups. One of 20 has no task, and is `ignored`.
 */
export async function fillFile(file: string, count: number): Promise<void> {
  removeFile(file)
  const inbox = sqlite(file)
  const { headers, body } = push()
  const common = { source: '/hooks', hookId: '1', event: 'push', headers, form: 'json' as const, address: '192.0.2.1' }
  const signed = { secretId: undefined, secretIndex: 0, algorithm: 'sha256', receivedAt: Date.now() }
  await inbox.store({ ...common, ...signed, guid: 'first', body: new TextEncoder().encode(body) })
  await inbox.close()

  const db = new DatabaseSync(file)
  db.exec('pragma synchronous = off; pragma journal_mode = off; pragma cache_size = -262144')
  db.exec(`
    create temp table numbers as
      with recursive n (i) as (select 2 union all select i + 1 from n where i < ${count}) select i from n;
    begin;
    insert into deliveries
      (id, identity, variant, source, hook_id, guid, event, state, matched, received_at, stored_at, sha256,
       replay_key, pack, start, headers_size, size, form, secret_index, algorithm, pulled, action, repository, sender, title, ref, number)
    select i, randomblob(16), 0, source, hook_id, 'guid-' || i,
           case i % 10 when 0 then 'issues' when 1 then 'pull_request' when 2 then 'check_run' else 'push' end,
           case when i % 5000 = 0 then 'dead' when i % 20 = 0 then 'ignored' when i % 20 = 1 then 'retrying' else 'done' end,
           1, received_at, stored_at, randomblob(32), abs(random()) % 281474976710656, i, 0, headers_size, size, form, 0, algorithm, 0,
           'opened', 'acme/repository-' || (i % 500), 'octocat-' || (i % 97), 'Title number ' || i,
           'refs/heads/main', i % 10000
    from numbers, deliveries where id = 1;
    insert into packs (id, last, bytes) select i, i, bytes from numbers, packs where id = 1;
    insert into tasks (delivery_id, handler, state, attempt, attempts_used)
      select i, 'hook:push', case when i % 5000 = 0 then 'dead' else 'done' end, 1, 1 from numbers where i % 20 <> 0 or i % 5000 = 0;
    insert into attempts (delivery_id, handler, number, started_at, duration, outcome)
      select i, 'hook:push', 1, received_at, case when i % 1000 = 0 then 7000 else 3 end, case when i % 5000 = 0 then 'dead' else 'succeeded' end
      from numbers, deliveries where id = 1 and (i % 20 <> 0 or i % 5000 = 0);
    insert into failure_groups (id, handler, error, first_at)
      select i - 1, 'hook:deploy', case when i = 2 then 'Error: rare' else 'HttpError: cause ' || i || ' of job <n>' end, received_at
      from numbers, deliveries where id = 1 and i <= 201;
    insert into tasks (delivery_id, handler, state, next_at, attempt, attempts_used, failure_group, failed_at)
      select i, 'hook:deploy', 'retrying', 7258118400000, 1, 1, iif(i < 2000, 1, 2 + i / 20 % 199), received_at
      from numbers, deliveries where id = 1 and i % 20 = 1;
    insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error)
      select i, 'hook:deploy', 1, received_at, 3, 'failed', 'HttpError: cause 7 of job ' || i || char(10) || '    at deploy (hooks.ts:10:5)'
      from numbers, deliveries where id = 1 and i % 20 = 1;
    update deliveries set duration_class = 2 where id % 1000 = 0 and (id % 20 <> 0 or id % 5000 = 0);
    commit;
    pragma journal_mode = wal;
  `)
  db.close()
}

export function removeFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}
