import { describe, expect, test } from 'vitest'
import { createManifest, editManifest, registrationPage } from '../../../src/github/app/manifest.ts'

const needs = { events: ['issues'], permissions: { issues: 'write', metadata: 'read' } } as const
const options = {
  name: 'hello-bot',
  description: undefined,
  homepage: 'https://github.com',
  url: undefined,
  redirectUrl: 'http://127.0.0.1:1234/created',
  isPublic: false,
}

test('a manifest has a URL that reaches no server, unless one is given', () => {
  expect(createManifest(needs, options)).toEqual({
    name: 'hello-bot',
    url: 'https://github.com',
    hook_attributes: { url: 'https://hookserver.invalid/', active: true },
    redirect_url: 'http://127.0.0.1:1234/created',
    public: false,
    default_permissions: { issues: 'write', metadata: 'read' },
    default_events: ['issues'],
  })
  const url = 'https://bot.example.com/hooks'
  expect(createManifest(needs, { ...options, url }).hook_attributes.url).toBe(url)
})

test('a name that is longer than GitHub allows is cut', () => {
  expect(createManifest(needs, { ...options, name: `${'x'.repeat(33)} y` }).name).toBe('x'.repeat(33))
})

describe('editing', () => {
  const manifest = createManifest(needs, { ...options, description: 'Says hello' })
  const offered = { permissions: ['issues', 'contents', 'metadata', 'workflows'], events: ['issues', 'push'] }
  const edit = (form: string) => editManifest(manifest, new URLSearchParams(form), offered)

  test('replaces the name, the description, the permissions and the events', () => {
    const form = 'name=+other+&description=&permission.contents=read&permission.issues=&event=push'
    const { description: _, ...others } = manifest
    expect(edit(form)).toEqual({
      manifest: { ...others, name: 'other', default_permissions: { contents: 'read' }, default_events: ['push'] },
      problems: [],
    })
  })

  test('ignores fields that the form does not offer', () => {
    const form =
      'name=a&permission.secrets=write&permission.workflows=read&permission.issues=read&event=star&url=https://x.example'
    expect(edit(form).manifest).toMatchObject({
      url: 'https://github.com',
      default_permissions: { issues: 'read' },
      default_events: [],
    })
  })

  test.each([
    ['name=', 'The name needs 1 to 34 characters'],
    [`name=${'x'.repeat(35)}`, 'The name needs 1 to 34 characters'],
    ['name=a&event=push', 'The event push needs a permission that is not selected'],
  ])('reports why GitHub would refuse %s', (form, problem) => {
    expect(edit(form).problems).toEqual([problem])
  })
})

test('the page that accepts the manifest belongs to the user or to an organization', () => {
  expect(registrationPage('https://github.com', undefined, 'a+b')).toBe(
    'https://github.com/settings/apps/new?state=a%2Bb',
  )
  expect(registrationPage('https://acme.ghe.com', 'acme', 'a')).toBe(
    'https://acme.ghe.com/organizations/acme/settings/apps/new?state=a',
  )
})
