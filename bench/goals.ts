/**
 * The performance goals of the project. Each part records its measured values; `run.ts` prints the table at the end.
 */
import { limits } from '../scripts/installation.ts'
import { table } from './table.ts'

interface Goal {
  what: string
  atLeast?: number
  atMost?: number
  /** Digits after the decimal point. Default: 2. */
  digits?: number
}

const octokit = '@octokit/webhooks'

const goals = {
  inlineToFloor: { what: 'hookserver/node ÷ floor, rate', atLeast: 0.95 },
  inlineToOctokit: { what: `hookserver/node ÷ ${octokit}, rate`, atLeast: 1.15 },
  webToOctokitBun: { what: 'hookserver/web ÷ createWebMiddleware, rate, Bun', atLeast: 1 },
  webToOctokitDeno: { what: 'hookserver/web ÷ createWebMiddleware, rate, Deno', atLeast: 1.1 },
  webToOctokitNode: { what: 'hookserver/web ÷ createWebMiddleware, rate, Node.js', atLeast: 1 },
  webToOctokitWorkerd: { what: 'hookserver/web ÷ createWebMiddleware, rate, workerd', atLeast: 1 },
  webToFloorBun: { what: 'hookserver/web ÷ floor, rate, Bun', atLeast: 0.85 },
  webToFloorDeno: { what: 'hookserver/web ÷ floor, rate, Deno', atLeast: 0.85 },
  webToFloorNode: { what: 'hookserver/web ÷ floor, rate, Node.js', atLeast: 0.85 },
  webToFloorWorkerd: { what: 'hookserver/web ÷ floor, rate, workerd', atLeast: 0.85 },
  storedCpu: { what: `SQLite ÷ ${octokit}, CPU per answer, 32 connections`, atMost: 1.8 },
  storedRate: { what: `SQLite ÷ ${octokit}, rate, 128 connections`, atLeast: 0.65 },
  toInsert: { what: `SQLite ÷ ${octokit} + INSERT, rate, 32 connections`, atLeast: 4.5 },
  toBullmq: { what: `SQLite ÷ ${octokit} + BullMQ, rate, 32 connections`, atLeast: 2.5 },
  toPgBoss: { what: `PostgreSQL ÷ ${octokit} + pg-boss.send, rate, 32 connections`, atLeast: 5 },
  halfLatency: { what: 'SQLite, p99 at half of its rate, ms', atMost: 10, digits: 1 },
  importTime: { what: `hookserver and hookserver/node ÷ ${octokit}, import time`, atMost: 1.2 },
  packages: { what: 'npm install hookserver, packages', atMost: limits.packages, digits: 0 },
  megabytes: { what: 'npm install hookserver, MB', atMost: limits.megabytes, digits: 1 },
  peakMemory: { what: `hookserver/node ÷ ${octokit}, peak memory with 8 concurrent bodies of 25 MB`, atMost: 0.6 },
  filled: { what: 'SQLite with 1,000,000 deliveries ÷ empty, rate', atLeast: 0.9 },
  handledToPlainjob: { what: 'SQLite ÷ plainjob in Bun, deliveries handled a second', atLeast: 0.75 },
  handledToGraphile: { what: 'PostgreSQL ÷ graphile-worker, deliveries handled a second', atLeast: 0.5 },
  orderedToGraphile: { what: 'PostgreSQL with ordered handlers ÷ graphile-worker, the same', atLeast: 0.3 },
  twoWorkers: { what: 'PostgreSQL, two workers ÷ one, deliveries handled a second', atLeast: 1.3 },
  pickupPostgres: { what: 'PostgreSQL, p50 of the pickup time at 500 deliveries a second, ms', atMost: 5, digits: 1 },
  handledSqlite: { what: 'SQLite, deliveries handled a second', atLeast: 6000, digits: 0 },
  handledPostgres: { what: 'PostgreSQL, deliveries handled a second', atLeast: 4000, digits: 0 },
} satisfies Record<string, Goal>

export type GoalName = keyof typeof goals

const measured = new Map<GoalName, number>()

export function recordGoal(name: GoalName, value: number | undefined): void {
  if (value !== undefined) measured.set(name, value)
}

/** The goals that this run measured. */
export function goalsTable(): string | undefined {
  if (measured.size === 0) return undefined
  const rows = (Object.entries(goals) as [GoalName, Goal][]).flatMap(([name, goal]) => {
    const value = measured.get(name)
    return value === undefined ? [] : [rowOf(goal, value)]
  })
  return table(['goal', 'required', 'measured', ''], rows)
}

function rowOf({ what, atLeast, atMost, digits = 2 }: Goal, value: number): string[] {
  const isMet = value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY)
  const required = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`
  return [what, required, value.toFixed(digits), isMet ? 'met' : 'missed']
}
