import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { databaseServer } from '../postgres/databases.ts'
import { project } from '../server/service.ts'
import { runDoctor } from './run-doctor.ts'

const examined = databaseServer('autovacuum=off')

test('finds an unsuitable encoding, and that autovacuum is off', async () => {
  const client = new pg.Client(examined.server.url)
  onTestFinished(() => client.end())
  await client.connect()
  await client.query(`create database latin encoding 'LATIN1' locale 'C' template template0`)
  const findings = async (url: string) => (await runDoctor(project(), ['--database', url])).of('database')
  expect(await findings(examined.server.url.replace(/postgres$/, 'latin'))).toMatchObject([
    { state: 'failed', found: expect.stringMatching(/uses the encoding LATIN1, and hookserver needs UTF8$/) },
  ])
  expect(await findings(await examined.create())).toMatchObject([
    { state: 'fine' },
    { state: 'warning', found: expect.stringMatching(/^autovacuum is off/) },
  ])
})
