import { expect, test } from 'vitest'
import { deniedAccess } from '../../../src/cli/app/first-delivery.ts'

const denied = (status: number, needed: string) => ({
  ...{ status, request: { url: 'https://api.github.com/repos/acme/shop/issues/1/labels' } },
  response: { headers: { 'x-accepted-github-permissions': needed } },
})

test.each([
  [403, 'issues=write', {}, /^The App may lack the permission issues=write: declare it/],
  [403, 'issues=write', { issues: 'read' }, /^The App may lack the permission issues=write/],
  [
    403,
    'issues=write,contents=read',
    { issues: 'write' },
    /^The App may lack the permission issues=write and contents=read:/,
  ],
  [
    403,
    'issues=write',
    { issues: 'write' },
    /asked for the permission issues=write, so the installation may lack acme\/shop/,
  ],
  [404, 'issues=write; pull_requests=write', { pull_requests: 'write' }, /may lack acme\/shop/],
  [403, 'metadata=read', {}, /may lack acme\/shop/],
] as const)('names the missing permission or repository: %i, %s, with %j', (status, needed, permissions, text) => {
  expect(deniedAccess(denied(status, needed), permissions)).toEqual([expect.stringMatching(text)])
})

test.each([undefined, 'x', new Error('x'), denied(500, 'issues=write'), denied(404, 'issues=write')])(
  'says nothing about other errors',
  (error) => {
    expect(deniedAccess(error, {})).toEqual([])
  },
)
