import { describe, expect, test } from 'vitest'
import { Registry } from '../../src/dispatch/registry.ts'
import type { Registration } from '../../src/handler.ts'

function registration(name: string, replies = false): Registration {
  return { name, events: [name], replies, handler: () => name, options: {} }
}

describe('a registry', () => {
  test('lists each handler once, even if it has several names', () => {
    const registry = new Registry()
    const [one, two, three] = [registration('one'), registration('two'), registration('three')]
    for (const name of ['push', 'issues.opened', 'issues', '*']) registry.add(name, one)
    registry.add('issues.opened', two)
    registry.add('*', three)
    expect(registry.all()).toEqual([one, two, three])
    expect(new Registry().all()).toEqual([])
  })

  test('does not list removed handlers, and keeps the other handlers of the name', () => {
    const registry = new Registry()
    const [one, two] = [registration('one'), registration('two')]
    for (const name of ['push', '*']) for (const each of [one, two]) registry.add(name, each)
    expect(registry.remove('push', one.handler)).toBe(true)
    expect([registry.match('push', undefined, '/hooks', {}), registry.all()]).toEqual([
      [two, one],
      [two, one],
    ])
    expect(registry.remove('*', one.handler)).toBe(true)
    expect([registry.all(), registry.remove('*', one.handler)]).toEqual([[two], false])
  })

  test('knows the handler names until all of their registrations are removed', () => {
    const registry = new Registry()
    const one = registration('one')
    for (const name of ['push', '*']) registry.add(name, one)
    const seen = [registry.hasHandlerName('one'), registry.hasHandlerName('push')]
    for (const name of ['push', '*']) {
      registry.remove(name, one.handler)
      seen.push(registry.hasHandlerName('one'))
    }
    expect(seen).toEqual([true, false, true, false])
  })

  test('lists a handler without the names for which it was removed', () => {
    const registry = new Registry()
    const both: Registration = { ...registration('both'), events: ['push', 'create'] }
    for (const name of both.events) registry.add(name, both)
    expect(registry.remove('create', both.handler)).toBe(true)
    expect(registry.all()).toMatchObject([{ name: 'both', events: ['push'] }])
    registry.removeRegistration(both)
    expect(registry.all()).toEqual([])
  })

  test('knows the names that have a hook', () => {
    const registry = new Registry()
    registry.add('push', registration('a listener'))
    expect(registry.hasHook('push', undefined)).toBe(false)
    registry.add('push', registration('a hook', true))
    const names = ['push', '*', 'push.x']
    expect(names.map((name) => registry.hasHook(name, undefined))).toEqual([true, false, false])
  })

  test('has a hook of each mount, and matches those of the mount of a delivery', () => {
    const registry = new Registry()
    const hooks = ['/a', ['/b', '/c']].map((source) => ({
      ...registration(`hook of ${source}`, true),
      options: { source },
    }))
    for (const hook of hooks) registry.add('push', hook)
    expect(['/a', '/c', ['/x', '/b'], '/x', undefined].map((source) => registry.hasHook('push', source))).toEqual([
      ...[true, true, true, false, true],
    ])
    expect(['/a', '/b', '/x'].map((source) => registry.match('push', undefined, source, {}))).toEqual([
      ...[[hooks[0]], [hooks[1]], []],
    ])
  })

  test('sorts the handlers that choose payloads, and leaves out those that the payload is not for', () => {
    const registry = new Registry()
    const choosing = (name: string): Registration => ({
      ...registration(name),
      positionIn: ({ [name]: position }) => position as number | undefined,
    })
    const [first, a, second, b, c] = [
      ...[registration('first'), choosing('a'), registration('second'), choosing('b'), choosing('c')],
    ] as const
    for (const each of [first, a, second, b, c]) registry.add('push', each as Registration)
    const match = (payload: object) => registry.match('push', undefined, '/hooks', { ...payload })
    expect(match({ a: 5, b: 0, c: 3 })).toEqual([first, b, second, c, a])
    expect(match({ c: 3 })).toEqual([first, second, c])
    expect(match({})).toEqual([first, second])
  })
})
