// cspell:disable: some names are misspelled
import { describe, expect, test } from 'vitest'
import type { Hooks } from '../../src/index.ts'
import { startScene } from './scene.ts'

function commands(hooks: Hooks): void {
  const description = 'Deploys a version.\nThe default is a|b.'
  hooks.command('/deploy <environment> [version]', { description, teams: ['acme/ops'] }, () => {})
  hooks.command('/merge', { description: 'Merges the pull request.', on: ['pull_request'] }, () => {})
  hooks.command('/secret', { help: false, permission: 'admin' }, () => {})
}

const table = [
  '| command | effect | permission |',
  '|---|---|---|',
  '| `/deploy <environment> [version]` | Deploys a version. The default is a\\|b. | `write`, or membership in the team `acme/ops` |',
]

describe('/help', () => {
  test('lists the commands for an issue, to everyone', async () => {
    const { comment, replies } = await startScene(commands)
    await comment('mallory', '/help\n/help')
    expect(await replies()).toEqual([table.join('\n')])
  })

  test('lists the commands for a pull request', async () => {
    const { as, comment, replies } = await startScene(commands, { stores: true })
    const { data } = await as('mona').pulls.create({
      ...{ owner: 'octo', repo: 'hello', title: 'New', head: 'feature', base: 'main' },
    })
    await comment('mona', '/help', data.number)
    expect(await replies(data.number)).toEqual([
      [...table, '| `/merge` | Merges the pull request. | `write` |'].join('\n'),
    ])
  })

  test('escapes each character that ends a cell', async () => {
    const { comment, replies } = await startScene((hooks) => {
      hooks.command('/deploy --to=<test|prod>', { description: 'a|b', teams: ['acme/a|b'] }, () => {})
    })
    await comment('mona', '/help')
    expect((await replies())[0]?.split('\n')[2]).toBe(
      '| `/deploy --to=<test\\|prod>` | a\\|b | `write`, or membership in the team `acme/a\\|b` |',
    )
  })

  test('is not answered if no command is listed, or if the application has a command with this name', async () => {
    const hidden = await startScene((hooks) => hooks.command('/secret', { help: false }, () => {}))
    await hidden.comment('mona', '/help')
    expect(await hidden.replies()).toEqual([])
    const own = await startScene((hooks) => {
      commands(hooks)
      hooks.command('/help', async ({ reply }) => reply('Ask Mona'))
    })
    await own.comment('mona', '/help')
    expect(await own.replies()).toEqual(['Ask Mona'])
  })

  test('does not mention a command of another source', async () => {
    const { comment, replies } = await startScene((hooks) => {
      hooks.command('/deploy', { source: '/hooks', description: 'Deploys.' }, () => {})
      hooks.command('/destroy', { source: '/internal' }, () => {})
    })
    await comment('mona', '/help')
    await comment('mona', '/destroj')
    expect(await replies()).toEqual([
      ['| command | effect | permission |', '|---|---|---|', '| `/deploy` | Deploys. | `write` |'].join('\n'),
    ])
  })

  test('is not answered for a source without commands', async () => {
    const { comment, replies } = await startScene((hooks) => {
      hooks.command('/destroy', { source: '/internal' }, () => {})
    })
    await comment('mona', '/help')
    expect(await replies()).toEqual([])
  })

  test('does not list a command that was removed', async () => {
    const handler = () => {}
    const scene = await startScene((hooks) => {
      commands(hooks)
      hooks.command('/build', handler)
      hooks.off('/build', handler)
    })
    await scene.comment('mona', '/help')
    expect(await scene.replies()).toEqual([table.join('\n')])
  })
})

describe('a misspelled name', () => {
  test.each(['/deplyo prod', '/deploi', '/DEPLOYS', '/deployy prod\n/deplyo prod'])(
    'is answered once: %j',
    async (body) => {
      const { comment, replies } = await startScene(commands)
      await comment('mallory', body)
      expect(await replies()).toEqual([
        expect.stringMatching(
          /^There is no command `\/deplo?[a-z]+`. Did you mean `\/deploy`\?\n\nUsage: `\/deploy <environment> \[version\]`$/,
        ),
      ])
    },
  )

  test.each(['/dpl', '/destroy', '/usr/bin', 'deplyo', '> /deplyo', '`/deplyo`', '/secrets', '/merg', '/deploy prod'])(
    'is not seen in %j',
    async (body) => {
      const { comment, replies } = await startScene(commands)
      await comment('mona', body)
      expect(await replies()).toEqual([])
    },
  )
})

test('the events of help are those of comments on which commands are', () => {
  const eventsOf = async (on: readonly ('issue' | 'pull_request')[]) => {
    const { hooks } = await startScene((own) => own.command('/deploy', { on, edits: true, bodies: true }, () => {}))
    return hooks.registrations.find(({ name }) => name === 'command:help')?.events
  }
  return Promise.all([
    expect(eventsOf(['issue'])).resolves.toEqual(['issue_comment.created']),
    expect(eventsOf(['pull_request'])).resolves.toEqual([
      ...['issue_comment.created', 'pull_request_review_comment.created'],
    ]),
  ])
})
