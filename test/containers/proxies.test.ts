/** The examples for proxies: they pass deliveries on, and the address of the client. */
import { expect, test } from 'vitest'
import { read } from './files.ts'

/** The names of the directives in each block of a file, with those of the blocks inside under the name of their block. */
function blocksOf(text: string): Map<string, string[]> {
  const blocks = new Map<string, string[]>()
  const open: string[] = []
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue
    if (line === '}') open.pop()
    else {
      const name = line.replace(/ \{$|;$/g, '')
      blocks.set(open.join(' > '), [...(blocks.get(open.join(' > ')) ?? []), name])
      if (line.endsWith('{')) open.push(name)
    }
  }
  return blocks
}

test.each(['deploy/compose/Caddyfile', 'examples/deploy/Caddyfile'])(
  '%s rejects other paths in a block of its own, because Caddy runs `respond` before `reverse_proxy`',
  (file) => {
    for (const [block, directives] of blocksOf(read(file))) {
      if (directives.includes('respond 404')) expect([block, directives]).toEqual([block, ['respond 404']])
    }
    expect([...blocksOf(read(file)).keys()].filter((block) => block.endsWith(' > handle /hooks'))).toHaveLength(1)
  },
)

test.each(['examples/deploy/nginx.conf', 'docs/guides/scaling.md', 'docs/guides/dashboard-access.md'])(
  'nginx adds the address of the client to each request that it passes on in %s',
  (file) => {
    const text = read(file)
    const configuration = file.endsWith('.md') ? (/```nginx\n(.*?)```/s.exec(text)?.[1] ?? '') : text
    const passing = [...blocksOf(configuration).values()].filter((one) => one.some((name) => /^proxy_pass /.test(name)))
    expect(passing).not.toEqual([])
    for (const directives of passing) {
      expect(directives).toContain('proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for')
    }
  },
)
