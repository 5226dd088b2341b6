/** How long are GitHub's ids, and how does GitHub answer for a delivery that it does not have? */
import { isObject, objectIn } from '../../../src/runtime/json.ts'
import { type Attempt, waitForAttempts } from '../attempts.ts'
import { statusText } from '../github-api.ts'
import { type Probe, quickUrl } from '../probe.ts'
import { type Answer, type Facts, NotAsked, type Step } from '../step.ts'

async function askIds(probe: Probe): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: quickUrl(probe) })
  const { attempts } = await waitForAttempts(probe, webhook)
  const installation = await anyInstallation(probe)
  return {
    facts: {
      delivery: sizeOf((attempts[0] as Attempt).id),
      webhook: sizeOf(webhook.id),
      repository: sizeOf(String(probe.repository.id)),
      owner: sizeOf(String(objectIn(probe.repository, 'owner')?.id)),
      installation: installation === undefined ? 'not visible to this token' : sizeOf(installation),
    },
  }
}

function sizeOf(id: string): Facts {
  if (!/^\d+$/.test(id)) throw new NotAsked(`GitHub shows an id that is not a number: ${id}`)
  return { digits: id.length, above2to53: BigInt(id) > BigInt(Number.MAX_SAFE_INTEGER) }
}

/** The id of an installation that the token may see: of its user, or else of the organization that owns the repository. */
async function anyInstallation({ api, repository }: Probe): Promise<string | undefined> {
  const owner = objectIn(repository, 'owner')
  const paths = [
    '/user/installations',
    ...(owner?.type === 'Organization' ? [`/orgs/${owner.login}/installations`] : []),
  ]
  for (const path of paths) {
    const { data } = await api.send('GET', `${path}?per_page=1`)
    const installations = isObject(data) && Array.isArray(data.installations) ? data.installations : []
    if (isObject(installations[0])) return String(installations[0].id)
  }
  return undefined
}

async function askUnknown(probe: Probe): Promise<Answer> {
  const { api, path, oldAttempt } = probe
  const webhook = await probe.webhooks.create({ url: quickUrl(probe) })
  const { attempts } = await waitForAttempts(probe, webhook)
  const { id } = attempts[0] as Attempt
  const log = `${webhook.path}/deliveries`
  const read = async (entry: string) => statusText(await api.send('GET', entry))
  const redeliver = async (entry: string) => statusText(await api.send('POST', `${entry}/attempts`))
  const old = oldAttempt && `${path}/hooks/${oldAttempt.hook}/deliveries/${oldAttempt.delivery}`
  return {
    facts: {
      unknown: { read: await read(`${log}/1`), redeliver: await redeliver(`${log}/1`) },
      next: { read: await read(`${log}/${BigInt(id) + 1n}`) },
      rounded: roundedOf(id) === id ? 'the id is not rounded' : { read: await read(`${log}/${roundedOf(id)}`) },
      old:
        old === undefined
          ? 'not asked: pass --old-attempt'
          : { read: await read(old), redeliver: await redeliver(old) },
    },
  }
}

/** The id that a client sends if it reads ids as JavaScript numbers. */
const roundedOf = (id: string): string => String(BigInt(Number(id)))

export const idSteps: readonly Step[] = [
  {
    name: 'ids',
    question: 'How many digits do ids have?',
    ask: askIds,
  },
  {
    name: 'unknown-delivery',
    question: 'How does GitHub answer for a delivery that it does not have?',
    ask: askUnknown,
  },
]
