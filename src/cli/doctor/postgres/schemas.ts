import type { Client } from 'pg'
import type { Config } from '../../../server/config.ts'
import { openToLook, schemasOf } from '../../../server/inbox.ts'
import { checkContents } from '../contents.ts'
import type { Finding } from '../finding.ts'
import type { Server } from './server.ts'

/** Whether the tables are there, or could be made. @param name What the database is called. */
export async function* checkSchemas(
  client: Client,
  { user, database }: Server,
  config: Config,
  name: string,
): AsyncGenerator<Finding> {
  const what = 'database'
  const schemas = (await client.query(selectSchemas, [schemasOf(config)])).rows as Schema[]
  const makes = config.databaseMigrate.value !== false
  const missing = schemas.some(({ there }) => !there)
  const denied = makes ? schemas.find(({ allowed }) => !allowed) : undefined
  if (denied) {
    const found = `${name}: ${user} may not ${denied.there ? 'make tables in' : 'make'} the schema ${denied.name}`
    const right = denied.there ? `create on schema ${denied.name}` : `create on database "${database}"`
    const cure = `grant ${right} to "${user}"; or have another user run hookserver migrate, and serve with --database-migrate false`
    yield { what, state: 'failed', found, cure }
  } else if (!missing) yield* checkContents(openToLook(config), name)
  else if (makes) yield { what, state: 'fine', found: `${name}: the tables will be made` }
  else yield { what, state: 'failed', found: `${name}: there are no tables`, cure: 'make them: hookserver migrate' }
}

interface Schema {
  name: string
  there: boolean
  /** To make it, or tables in it. */
  allowed: boolean
}

const selectSchemas = `
  select
    name,
    to_regnamespace(name) is not null as there,
    case
      when to_regnamespace(name) is null then has_database_privilege(current_database(), 'create')
      else has_schema_privilege(name, 'usage') and has_schema_privilege(name, 'create')
    end as allowed
  from unnest($1::text[]) as name`
