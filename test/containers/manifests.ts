/** The manifests of `deploy/kubernetes`, as kustomize collects them. */
import { join } from 'node:path'
import { readYaml } from './files.ts'

interface Probe {
  httpGet: { path: string; port: string }
  timeoutSeconds: number
}

export interface Container {
  image: string
  args: string[]
  env: { name: string; value: string }[]
  ports: { name: string; containerPort: number }[]
  livenessProbe: Probe
  readinessProbe: Probe
  lifecycle?: { preStop: { sleep: { seconds: number } } }
  volumeMounts: { name: string; mountPath: string }[]
}

interface PodSpec {
  containers: [Container]
  enableServiceLinks?: boolean
  terminationGracePeriodSeconds: number
  volumes: { name: string }[]
}

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: {
    clusterIP?: string
    selector?: { matchLabels?: object }
    podSelector?: { matchLabels: object }
    ports?: { name: string; port: number; targetPort: string }[]
    ingress?: { ports: { port: string }[] }[]
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec }
    volumeClaimTemplates?: { metadata: { name: string } }[]
  }
}

export interface Kustomization {
  resources: string[]
  configMapGenerator?: { name: string; files: string[] }[]
}

export const setups = ['sqlite', 'postgres'] as const
export type Setup = (typeof setups)[number]
const folderOf = (setup: Setup) => join('deploy/kubernetes', setup)

/** The files of a kustomization, and those of the kustomizations that it includes. */
function resourcesOf(folder: string): string[] {
  const [kustomization] = readYaml<Kustomization>(join(folder, 'kustomization.yaml')) as [Kustomization]
  return kustomization.resources.flatMap((name) =>
    name.endsWith('.yaml') ? [join(folder, name)] : resourcesOf(join(folder, name)),
  )
}

export const manifestsOf = (setup: Setup): Manifest[] =>
  resourcesOf(folderOf(setup)).flatMap((file) => readYaml<Manifest>(file))
