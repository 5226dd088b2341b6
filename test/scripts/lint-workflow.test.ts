import { expect, test } from 'vitest'
import { lintWorkflow } from '../../scripts/lint-workflow.ts'

const pinned = 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1'

/** A workflow with one job. */
const workflow = ({
  on = 'push',
  permissions = 'permissions: { contents: read }',
  job = '',
  steps = `- uses: ./action`,
}) => `on: ${on}
${permissions}
jobs:
  test:
    runs-on: ubuntu-latest
    ${job}
    steps:
      ${steps}
`

test.each([
  ['a workflow without errors', {}, []],
  ['a checkout without credentials', { steps: `- { uses: ${pinned}, with: { persist-credentials: false } }` }, []],
  ['an unknown key', { on: '{ push: { branch: [main] } }' }, ["a.yml:1: Unexpected value 'branch'"]],
  ['a job that does not exist', { job: 'needs: build' }, [expect.stringMatching(/^a\.yml:6: .*build/)]],
  ['a wrong permission', { job: 'permissions: { contents: reed }' }, ["a.yml:6: Unexpected value 'reed'"]],
  [
    'a context that does not exist there',
    { job: 'if: matrix.node == 24', steps: '- run: echo' },
    ["a.yml:6: Unrecognized named-value: 'matrix'"],
  ],
  [
    'a tag instead of a digest',
    { steps: '- uses: actions/checkout@v7' },
    ['a.yml:8: Pin the action by the digest of a commit, with its version: actions/checkout@… # v1.2.3'],
  ],
  ['a digest without a version', { steps: `- uses: ${pinned}` }, [expect.stringContaining('a.yml:8: Pin')]],
  [
    'a checkout that keeps its credentials',
    { steps: `- uses: ${pinned} # v7.0.1` },
    ['a.yml:1: Set "persist-credentials: false" of each checkout in the job "test"'],
  ],
  ['no permissions', { permissions: '' }, [expect.stringContaining('a.yml:1: Set "permissions" of the workflow')]],
  [
    'permissions of all jobs to write',
    { permissions: 'permissions: { contents: write }' },
    [expect.stringContaining('a.yml:1: Set "permissions"')],
  ],
] as const)('%s', async (_what, parts, expected) => {
  const errors = await lintWorkflow('a.yml', workflow(parts))
  for (const text of expected) expect(errors).toContainEqual(text)
  if (expected.length === 0) expect(errors).toEqual([])
})
