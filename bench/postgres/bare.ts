import pg from 'pg'
import { hashKey } from '../../src/inbox/identity.ts'
import { pack } from '../../src/postgres/delivery-store/contents.ts'
import { type EncodedDelivery, encodeDelivery } from '../../src/postgres/delivery-store/store.ts'
import { Batcher, batcherLimits } from '../../src/runtime/batcher.ts'
import { newDelivery } from './new-delivery.ts'

/** The number of prepared rows, which are inserted repeatedly with new ids. */
const made = 200

/**
 * Stores deliveries at the minimum cost: deliveries that arrive together are one batch, with one statement and one
 * commit. Two batches run at a time. The primary key is the only index of the table.
 */
export class Bare {
  readonly #pool: pg.Pool
  readonly #batcher: Batcher<Row, undefined>
  #rows: Row[] = []
  #next = 0

  constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url, max: batcherLimits.concurrency })
    this.#batcher = new Batcher({
      commit: (deliveries) => this.#insert(deliveries),
      weigh: ({ bytes }) => bytes.length,
    })
  }

  async prepare(): Promise<void> {
    await this.#pool.query(createTable)
    this.#rows = await Promise.all(Array.from({ length: made }, makeRow))
  }

  /** Inserts a prepared row. */
  insert(): Promise<undefined> {
    return this.#batcher.add(this.#rows[this.#next++ % made] as Row)
  }

  /** Stores a new delivery, which is hashed and compressed first. */
  async store(): Promise<undefined> {
    return this.#batcher.add(await makeRow())
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async #insert(rows: readonly Row[]): Promise<undefined[]> {
    await this.#pool.query({ name: 'insert', text: insertRows, values: [JSON.stringify(rows)] })
    return rows.map(() => undefined)
  }
}

/** The columns of a row, with bytes as base64. */
type Row = Record<string, unknown> & { bytes: string }

async function makeRow(): Promise<Row> {
  const { row, identity, sha256, headers, body }: EncodedDelivery = await encodeDelivery(newDelivery())
  return {
    ...{
      source: row.source,
      hook_id: row.hookId,
      guid: row.guid,
      event: row.event,
      form: row.form,
      address: row.address,
    },
    ...{
      secret_id: row.secretId,
      secret_index: row.secretIndex,
      algorithm: row.algorithm,
      received_at: row.receivedAt,
    },
    ...{ headers_size: headers.length, size: body.length, pulled: row.pulled ?? false, replay_key: hashKey(sha256) },
    ...{ identity: Buffer.from(identity).toString('base64'), sha256: sha256.toString('base64') },
    bytes: (await pack(headers, body)).toString('base64'),
  }
}

const createTable = `
  create table bare (
    id bigint generated always as identity primary key,
    identity bytea not null, sha256 bytea not null, source text not null, hook_id text not null, guid text not null,
    event text not null, form text not null, address text, secret_id text, secret_index int, algorithm text,
    received_at bigint not null, headers_size int not null, size int not null, trace text, pulled boolean not null,
    edited_from bigint, replay_key bigint not null, bytes bytea not null
  );
  alter table bare alter column bytes set storage external`

const insertRows = `
  insert into bare (
    identity, sha256, source, hook_id, guid, event, form, address, secret_id, secret_index, algorithm,
    received_at, headers_size, size, trace, pulled, edited_from, replay_key, bytes)
  select
    decode(identity, 'base64'), decode(sha256, 'base64'), source, hook_id, guid, event, form, address, secret_id,
    secret_index, algorithm, received_at, headers_size, size, trace, pulled, edited_from, replay_key, decode(bytes, 'base64')
  from json_to_recordset($1::json) as input (
    identity text, sha256 text, source text, hook_id text, guid text, event text, form text, address text,
    secret_id text, secret_index int, algorithm text, received_at bigint, headers_size int, size int, trace text,
    pulled boolean, edited_from bigint, replay_key bigint, bytes text)`
