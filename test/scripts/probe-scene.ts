/** A local GitHub, and the probe that asks it. */
import { onTestFinished } from 'vitest'
import { startLocal } from '../../scripts/probe-github/local.ts'
import { type Probe, type ProbeOptions, startProbe } from '../../scripts/probe-github/probe.ts'
import { Redactor } from '../../scripts/probe-github/redactor.ts'
import { runProbe } from '../../scripts/probe-github/run-probe.ts'
import type { Answer, Step } from '../../scripts/probe-github/step.ts'
import { steps } from '../../scripts/probe-github/steps/index.ts'

export async function start() {
  const local = await startLocal()
  onTestFinished(() => local[Symbol.asyncDispose]())
  return { ...local, webhooks: () => local.github.webhooks.map(({ url }) => url).filter((url) => url !== ownUrl) }
}

export type Local = Awaited<ReturnType<typeof start>>

/** The URL of the webhook of the repository that is not one of the probe. */
export const ownUrl = 'https://receiver.example/'

/** Runs steps, by their names or own ones. */
export async function run({ target }: Local, chosen: readonly (string | Step)[], more: Partial<ProbeOptions> = {}) {
  const progress: string[] = []
  const redactor = new Redactor()
  const probe = await startProbe({ ...target, redactor, progress: (text) => progress.push(text), ...more })
  const report = await runProbe(probe, chosen.map(toStep))
  return { report, progress, output: [JSON.stringify(report), ...progress].join('\n') }
}

export function toStep(chosen: string | Step): Step {
  const step = typeof chosen === 'string' ? steps.find(({ name }) => name === chosen) : chosen
  if (!step) throw new Error(`There is no step ${chosen}`)
  return step
}

export const stepThat = (ask: (probe: Probe) => Promise<Answer>, name = 'own'): Step => ({
  name,
  question: 'Own?',
  ask,
})

export const createWebhook = stepThat(async ({ webhooks }) => {
  const { id } = await webhooks.create({ url: ownUrl })
  return { facts: { id } }
})
