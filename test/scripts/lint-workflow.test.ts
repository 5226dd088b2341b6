import { expect, test } from 'vitest'
import { lintWorkflow } from '../../scripts/lint-workflow.ts'

const checkout = 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1'

/** A workflow with one job. */
const workflow = ({ on = 'push', job = '', steps = `- uses: ${checkout}` }) => `on: ${on}
jobs:
  test:
    runs-on: ubuntu-latest
    ${job}
    steps:
      ${steps}
`

test.each([
  ['a workflow without errors', {}, []],
  ['an action of the repository', { steps: '- uses: ./action' }, []],
  ['an unknown key', { on: '{ push: { branch: [main] } }' }, ["a.yml:1: Unexpected value 'branch'"]],
  ['a job that does not exist', { job: 'needs: build' }, [expect.stringMatching(/^a\.yml:5: .*build/)]],
  ['a wrong permission', { job: 'permissions: { contents: reed }' }, ["a.yml:5: Unexpected value 'reed'"]],
  [
    'a context that does not exist there',
    { job: 'if: matrix.node == 24', steps: '- run: echo' },
    ["a.yml:5: Unrecognized named-value: 'matrix'"],
  ],
  [
    'a tag instead of a digest',
    { steps: '- uses: actions/checkout@v7' },
    ['a.yml:7: Pin the action by the digest of a commit, with its version: actions/checkout@… # v1.2.3'],
  ],
  [
    'a digest without a version',
    { steps: `- uses: ${checkout.replace(/ #.*/, '')}` },
    [expect.stringContaining('a.yml:7: Pin')],
  ],
] as const)('%s', async (_what, parts, expected) => {
  const errors = await lintWorkflow('a.yml', workflow(parts))
  for (const text of expected) expect(errors).toContainEqual(text)
  if (expected.length === 0) expect(errors).toEqual([])
})
