/**
 * `npm run check`: runs all gates concurrently, and prints the output of each gate when it ends. Exits with 1 if a gate
 * fails.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const gates = [
  'node scripts/check-package.ts', // first, because it takes the longest
  'tsc -p tsconfig.json',
  'tsc -p tsconfig.core.json',
  'tsc -p dashboard',
  'biome check --error-on-warnings .',
  'cspell lint --no-progress --quiet --cache --cache-location node_modules/.cache/cspell',
  'node scripts/check-language.ts',
  'node scripts/check-arrows.ts',
  'node scripts/check-bundle.ts',
  'node scripts/check-parity.ts',
  'node scripts/check-dependencies.ts',
  'node scripts/check-docs.ts',
  'node scripts/check-workflows.ts',
  'node scripts/options-docs.ts --check',
  'node scripts/interface-report.ts --check',
  'node scripts/bundled-packages.ts --check',
]

async function run(gate: string): Promise<void> {
  const child = spawn(gate, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = await once(child, 'close')
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${gate}\n${output}`)
  if (code !== 0) process.exitCode = 1
}

await Promise.all(gates.map(run))
