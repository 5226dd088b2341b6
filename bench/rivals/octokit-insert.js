import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { createNodeMiddleware, Webhooks } from '@octokit/webhooks'

/** @octokit/webhooks with one INSERT per delivery into SQLite. It answers when the transaction is on disk. */
export default function octokitWithInsert({ secret, path, target }) {
  const db = new DatabaseSync(target)
  db.exec('pragma journal_mode = wal; pragma synchronous = full')
  db.exec('create table deliveries (guid text primary key, event text not null, payload text not null) strict')
  const insert = db.prepare('insert into deliveries values (?, ?, ?) on conflict do nothing')
  const webhooks = new Webhooks({ secret })
  webhooks.onAny(({ id, name, payload }) => {
    insert.run(id, name, JSON.stringify(payload))
  })
  return createServer(createNodeMiddleware(webhooks, { path }))
}
