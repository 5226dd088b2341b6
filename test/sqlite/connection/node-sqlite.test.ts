import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { NodeSqlite } from '../../../src/sqlite/connection/node-sqlite.ts'
import { connect, prepareFile } from '../../../src/sqlite/connection/open.ts'
import { newFile } from '../engine.ts'

function open(): NodeSqlite {
  const path = newFile()
  prepareFile(path)
  const connection = new NodeSqlite(connect(path, { lockTimeout: 0 }))
  connection.db.exec('create table numbers (n integer primary key)')
  onTestFinished(() => connection.db.close())
  return connection
}

const numbersOf = (connection: NodeSqlite) => connection.all<{ n: number }>('select n from numbers').map(({ n }) => n)

describe('a connection', () => {
  test('returns rows, one row, an iterator, the number of changes and ids', () => {
    const connection = open()
    expect(connection.insert('insert into numbers values (?)', 7)).toBe(7)
    expect(connection.insert('insert into numbers (n) values (null)')).toBe(8)
    expect(connection.all('select n from numbers order by n')).toEqual([{ n: 7 }, { n: 8 }])
    expect(connection.get('select n from numbers where n > ? order by n', 6)).toEqual({ n: 7 })
    expect(connection.get('select n from numbers where n > ?', 9)).toBeUndefined()
    expect([...connection.each('select n from numbers order by n desc')]).toEqual([{ n: 8 }, { n: 7 }])
    expect(connection.run('update numbers set n = n + 10')).toBe(2)
    expect(connection.run('delete from numbers where n = 0')).toBe(0)
  })

  test('prepares a statement once', () => {
    const connection = open()
    const prepare = vi.spyOn(connection.db, 'prepare')
    for (let i = 0; i < 3; i++) numbersOf(connection)
    expect(prepare).toHaveBeenCalledTimes(1)
  })
})

describe('a transaction', () => {
  test('is committed, and returns the result of the work', () => {
    const connection = open()
    expect(connection.transaction(() => connection.run('insert into numbers values (1)'))).toBe(1)
    expect([numbersOf(connection), connection.db.isTransaction]).toEqual([[1], false])
  })

  test('is rolled back if the work throws, and the next one begins', () => {
    const connection = open()
    const failure = new Error('in the work')
    const work = () => {
      connection.run('insert into numbers values (1)')
      throw failure
    }
    expect(() => connection.transaction(work)).toThrow(failure)
    expect([numbersOf(connection), connection.db.isTransaction]).toEqual([[], false])
    connection.transaction(() => connection.run('insert into numbers values (2)'))
    expect(numbersOf(connection)).toEqual([2])
  })

  test('fails with the original error if SQLite has rolled it back', () => {
    const connection = open()
    connection.db.exec('create table once (n integer primary key on conflict rollback)')
    const work = () => {
      connection.run('insert into once values (1)')
      connection.run('insert into once values (1)')
    }
    expect(() => connection.transaction(work)).toThrow(/UNIQUE/)
    expect(connection.db.isTransaction).toBe(false)
  })

  test('within another one is rolled back alone', () => {
    const connection = open()
    const failure = new Error('in the inner one')
    connection.transaction(() => {
      connection.run('insert into numbers values (1)')
      const inner = () => {
        connection.transaction(() => connection.run('insert into numbers values (2)'))
        connection.run('insert into numbers values (3)')
        throw failure
      }
      expect(() => connection.transaction(inner)).toThrow(failure)
      connection.transaction(() => connection.run('insert into numbers values (4)'))
    })
    expect(numbersOf(connection)).toEqual([1, 4])
  })
})
