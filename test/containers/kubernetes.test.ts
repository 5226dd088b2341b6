/** The manifests for Kubernetes: they follow the schemas of its API, and start servers whose probes succeed. */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as apps from 'kubernetes-models/apps/v1'
import * as networking from 'kubernetes-models/networking.k8s.io/v1'
import * as policy from 'kubernetes-models/policy/v1'
import * as core from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { flagOf, resolveConfig, variablesOf } from '../../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../../src/server/config/settings.ts'
import { databaseServer } from '../postgres/databases.ts'
import { read, readYaml } from './files.ts'
import { type Container, type Kustomization, type Manifest, manifestsOf, type Setup, setups } from './manifests.ts'
import { startCommand } from './server-in-container.ts'

const postgres = databaseServer()

const workloadsOf = (setup: Setup) =>
  manifestsOf(setup).flatMap(({ metadata: { name }, spec }) =>
    spec?.template ? [{ name, spec, labels: spec.template.metadata.labels, pod: spec.template.spec }] : [],
  )

const models = { ...core, ...apps, ...networking, ...policy } as unknown as Record<
  string,
  { prototype: { validate(this: Manifest): void } }
>

/**
 * Validates a manifest. The validators of Kubernetes' schemas accept unknown members, but read all others.
 * @returns the paths of the unknown members.
 */
function unknownMembers(manifest: Manifest): string[] {
  const unknown = new Set<string>()
  const watched = <Value>(value: Value, path: string): Value => {
    if (typeof value !== 'object' || value === null) return value
    const members = Object.entries(value).map(([name, member]) => [name, watched(member, `${path}.${name}`)])
    for (const name of Object.keys(value)) unknown.add(`${path}.${name}`)
    const copy = Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members)
    return new Proxy(copy, {
      get(target, name) {
        unknown.delete(`${path}.${String(name)}`)
        return target[name]
      },
    })
  }
  // A Model copies the members that it is given, and so reads them all. Its validator alone does not.
  models[manifest.kind]?.prototype.validate.call(watched(manifest, manifest.kind))
  return [...unknown]
}

test.each(setups)('the manifests of %s follow the schemas of Kubernetes', (setup) => {
  for (const manifest of manifestsOf(setup)) {
    expect(unknownMembers(manifest), `${manifest.kind} ${manifest.metadata.name}`).toEqual([])
  }
})

test('the schemas show an unknown member, and a wrong value', () => {
  const find = () => manifestsOf('postgres').find(({ kind }) => kind === 'Deployment') as Manifest
  const [misspelled, wrong] = [find(), find()]
  Object.assign(misspelled.spec.template?.spec.containers[0] as Container, { livenessProb: {} })
  Object.assign(wrong.spec, { replicas: 'two' })
  expect(unknownMembers(misspelled)).toEqual(['Deployment.spec.template.spec.containers.0.livenessProb'])
  expect(() => unknownMembers(wrong)).toThrow('replicas')
})

describe.each(setups)('each service, policy and budget of %s', (setup) => {
  const manifests = manifestsOf(setup).filter(({ kind }) =>
    ['Service', 'NetworkPolicy', 'PodDisruptionBudget'].includes(kind),
  )

  test('selects a workload', () => {
    const labels = workloadsOf(setup).map((workload) => workload.labels)
    for (const { kind, metadata, spec } of manifests) {
      const selector = { Service: spec.selector, NetworkPolicy: spec.podSelector?.matchLabels }[kind]
      const selected = expect.objectContaining(selector ?? (spec.selector?.matchLabels as object))
      expect(labels, `${kind} ${metadata.name}`).toContainEqual(selected)
    }
  })

  test('names ports that a container has', () => {
    const names = workloadsOf(setup).flatMap(({ pod }) => pod.containers[0].ports.map(({ name }) => name))
    const ofServices = manifests.flatMap(({ spec }) => spec.ports?.map(({ targetPort }) => targetPort) ?? [])
    const ofPolicies = manifests.flatMap(({ spec }) => spec.ingress?.flatMap(({ ports }) => ports) ?? [])
    const named = [...ofServices, ...ofPolicies.map(({ port }) => port)]
    expect(new Set(named)).toEqual(new Set(names))
  })
})

test.each(setups)(
  'a pod of %s that gets the addresses of the services in its environment uses the default ports',
  (setup) => {
    const services = manifestsOf(setup).filter(({ kind, spec }) => kind === 'Service' && spec.clusterIP !== 'None')
    const env = Object.fromEntries(
      services.map(({ metadata, spec }) => [
        `${metadata.name.toUpperCase().replaceAll('-', '_')}_PORT`,
        `tcp://10.0.0.1:${spec.ports?.[0]?.port}`,
      ]),
    )
    expect(Object.keys(env)).toEqual(['HOOKSERVER_PORT'])
    expect(resolveConfig({ flags: {}, env })).toEqual(resolveConfig({ flags: {}, env: {} }))
  },
)

describe.each(setups.flatMap((setup) => workloadsOf(setup).map((workload) => ({ setup, ...workload }))))(
  '$setup: $name',
  ({ setup, spec, pod }) => {
    const [container] = pod.containers

    test('has the restricted security context', () => {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      })
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      })
    })

    test('has a volume for each mount', () => {
      const claims = spec.volumeClaimTemplates?.map(({ metadata }) => metadata.name) ?? []
      const volumes = [...pod.volumes.map(({ name }) => name), ...claims]
      expect(container.volumeMounts.map(({ name }) => name).toSorted()).toEqual(volumes.toSorted())
    })

    test('gets no variables of services, which have the names of settings', () => {
      expect(pod.enableServiceLinks).toBe(false)
    })

    test('receives until the load balancers have removed it', () => {
      const seconds = container.ports.some((port) => port.name === 'public') ? 5 : undefined
      expect(container.lifecycle?.preStop.sleep.seconds).toBe(seconds)
    })

    test('gives hookserver time to stop', () => {
      const { seconds = 0 } = container.lifecycle?.preStop.sleep ?? {}
      expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(seconds * 1000 + settings.grace.default + 3000)
    })

    test('uses flags and variables that hookserver knows', () => {
      const names = Object.keys(settings) as SettingName[]
      const flags = container.args.filter((arg) => arg.startsWith('--'))
      for (const flag of flags) expect(names.map(flagOf)).toContain(flag)
      for (const { name } of container.env) expect(names.flatMap(variablesOf)).toContain(name)
    })

    test('starts, answers its probes, and stops', async () => {
      const folder = mountedFiles()
      if (setup === 'postgres') writeSecret(folder, 'database', await postgres.create())
      const server = await startCommand({ args: container.args, env: withFiles(container.env, folder), hooks: folder })
      const ports = new Map(container.ports.map(({ name, containerPort }) => [name, server.ports[containerPort]]))
      for (const { httpGet } of [container.livenessProbe, container.readinessProbe]) {
        const url = `http://127.0.0.1:${ports.get(httpGet.port)}${httpGet.path}`
        // A kubelet names the listener by the address of the pod.
        expect((await fetch(url)).status, url).toBe(200)
      }
      server.child.kill('SIGTERM')
      expect(await once(server.child, 'close')).toEqual([0, null])
    })
  },
)

/** The files of the secret and the module, as Kubernetes mounts a ConfigMap: links to a folder with a date. */
function mountedFiles(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-mounted-'))
  const [{ configMapGenerator = [] }] = readYaml<Kustomization>('deploy/kubernetes/base/kustomization.yaml') as [
    Kustomization,
  ]
  mkdirSync(join(folder, '..2026_11_30'))
  symlinkSync('..2026_11_30', join(folder, '..data'))
  const files = configMapGenerator.flatMap((map) => map.files)
  for (const name of files) {
    writeFileSync(join(folder, '..data', name), read(join('deploy/kubernetes/base', name)))
    symlinkSync(join('..data', name), join(folder, name))
  }
  writeSecret(folder, 'secret', 'a-test-secret-with-32-characters')
  writeSecret(folder, 'token', 'a-test-token-with-32-characters')
  return folder
}

const writeSecret = (folder: string, key: string, value: string): void =>
  writeFileSync(join(folder, key), `${value}\n`, { mode: 0o440 })

/** The environment of a container with the files of this machine, and with the admin listener on loopback. */
function withFiles(env: Container['env'], folder: string): Record<string, string> {
  const kept = env.filter(({ name }) => name !== 'HOOKSERVER_ADMIN_HOST')
  return Object.fromEntries(kept.map(({ name, value }) => [name, value.replace(/^\/secrets/, folder)]))
}
