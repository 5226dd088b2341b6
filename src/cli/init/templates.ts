/** The templates of a project: the files in `templates/<name>` of this package, and those in `templates/common`. */
import { readdirSync, readFileSync } from 'node:fs'
import { version } from '../../runtime/platform.ts'

interface Template {
  summary: string
  /** Packages besides hookserver. Their version ranges are those of our optional peer dependencies. */
  packages: readonly string[]
  /** The commands to run after `npm install` and `npm test`, each with its effect. */
  next: readonly (readonly [command: string, effect: string])[]
}

const tryIt = [
  ['npm run dev', 'serve the handlers on this machine'],
  ['npx hookserver send push', 'send a delivery, from a second terminal'],
] as const

export const templates = {
  handler: { summary: 'handlers for the webhook of a repository', packages: [], next: tryIt },
  bot: {
    summary: 'a GitHub App that answers new issues',
    packages: ['octokit'],
    next: [['npx hookserver app create', 'create the GitHub App, and run the bot']],
  },
  deploy: {
    summary: 'runs a program after each push to main',
    packages: [],
    next: [
      ['npm run dev', 'serve the handler on this machine'],
      ['npx hookserver send push', 'from a second terminal, send a push to the branch master, which deploys nothing'],
    ],
  },
  postgres: {
    summary: 'handlers on several machines, with PostgreSQL',
    packages: ['pg'],
    next: [
      ['docker compose up --wait', 'start PostgreSQL'],
      ['cp .env.example .env', 'make the server use PostgreSQL; without .env, it uses an SQLite file'],
      ...tryIt,
    ],
  },
  docker: {
    summary: 'handlers in a container, with SQLite',
    packages: [],
    next: [...tryIt, ['docker compose up --build --wait', 'run them in a container, with the secret in .env']],
  },
} as const satisfies Record<string, Template>

export type TemplateName = keyof typeof templates
export const templateNames = Object.keys(templates) as TemplateName[]
export const isTemplate = (name: string): name is TemplateName => Object.hasOwn(templates, name)

/** The members of a `package.json` that we read or write. */
export interface Manifest {
  name?: string
  type?: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  [member: string]: unknown
}

export interface ProjectFile {
  /** Relative to the folder of the project. */
  path: string
  text: string
}

/** Our package.json, found by the name of the package, because the build moves this code to another folder. */
const ownManifest = (): string => import.meta.resolve('hookserver/package.json')

/** npm does not publish a `.gitignore`, so these files have no dot in the package. */
const dotFiles: Readonly<Record<string, string>> = {
  gitignore: '.gitignore',
  dockerignore: '.dockerignore',
  'env.example': '.env.example',
}

/** The files of a project, sorted by name. */
export function projectFiles(template: TemplateName, packageName: string): ProjectFile[] {
  const files = ['common', template].flatMap((name) => {
    const folder = new URL(`templates/${name}/`, ownManifest())
    return readdirSync(folder).map((file) => {
      const text = readFileSync(new URL(file, folder), 'utf8')
      return {
        path: dotFiles[file] ?? file,
        text: file === 'package.json' ? complete(text, template, packageName) : text,
      }
    })
  })
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** The names of the packages that a project depends on. */
export const packagesOf = (template: TemplateName): string[] => ['hookserver', ...templates[template].packages]

function complete(text: string, template: TemplateName, name: string): string {
  const own = JSON.parse(readFileSync(new URL(ownManifest()), 'utf8')) as { peerDependencies: Record<string, string> }
  const ranges: Record<string, string> = { ...own.peerDependencies, hookserver: `^${version}` }
  const dependencies = Object.fromEntries(packagesOf(template).map((one) => [one, ranges[one] as string]))
  return formatManifest({ name, ...(JSON.parse(text) as Manifest), dependencies })
}

export const formatManifest = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`
