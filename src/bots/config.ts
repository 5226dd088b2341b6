/** The configuration of a bot in a repository. Loaded when a handler first reads one. */
import { isListOf, isString } from '../runtime/check-options.ts'
import { Unrecoverable } from '../thrown.ts'
import { readFile } from './config-files.ts'
import { type ConfigText, ConfigTextError, parseConfig } from './config-text.ts'
import type { BotContext, BotOctokit } from './context.ts'
import type { SchemaIssue, StandardSchemaV1 } from './standard-schema.ts'
import { type RepositoryTarget, repositoryTarget } from './targets.ts'

/** The place of a file: a repository, and a path in it. */
interface Place extends RepositoryTarget {
  path: string
}

interface ConfigFile extends ConfigText {
  place: Place
}

const maxExtends = 10
const maxIssues = 10

/** See `BotMembers.config`. */
export async function readConfig(context: BotContext, file: string, schema?: StandardSchemaV1): Promise<unknown> {
  if (!isString(file) || !/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+\.(ya?ml|json)$/.test(file)) {
    const rule = 'the name of a file in the folder .github that ends with .yml, .yaml or .json'
    throw new TypeError(`delivery.config(): the file must be ${rule}, got ${JSON.stringify(file)}`)
  }
  const target = repositoryTarget(context, 'config')
  const octokit = await context.octokit()
  const path = `.github/${file}`
  const own = (await load(octokit, { ...target, path })) ?? (await load(octokit, { ...target, repo: '.github', path }))
  if (!own) return undefined
  const files: ConfigFile[] = []
  await addWithExtended(octokit, own, files)
  const { _extends, ...merged } = Object.assign({}, ...files.toReversed().map(({ value }) => value))
  return schema ? validated(schema, merged, files) : merged
}

async function load(octokit: BotOctokit, place: Place): Promise<ConfigFile | undefined> {
  const text = await readFile(octokit, place, place.path)
  if (text === undefined) return undefined
  try {
    return { place, ...(await parseConfig(place.path, text)) }
  } catch (error) {
    if (error instanceof ConfigTextError) throw invalid([problem(place, error.line, error.message)], error)
    throw error
  }
}

/**
 * Adds a file and those that it extends, directly and indirectly. The values of earlier ones have precedence. A file that
 * is there already is not added again, because its first place decides.
 * @param parents The chain of files that leads to this file, from the first one.
 */
async function addWithExtended(
  octokit: BotOctokit,
  file: ConfigFile,
  files: ConfigFile[],
  parents: readonly ConfigFile[] = [],
): Promise<void> {
  files.push(file)
  const path = [...parents, file]
  for (const text of extendedBy(file)) {
    const place = placeOf(text, file)
    const isPlace = (other: ConfigFile) => nameOf(other.place) === nameOf(place)
    const wrong = (message: string) => invalid([problem(file.place, file.lineOf(['_extends']), `_extends: ${message}`)])
    if (path.some(isPlace)) throw wrong(`${nameOf(place)} extends itself`)
    if (files.some(isPlace)) continue
    if (files.length > maxExtends) throw wrong(`more than ${maxExtends} files extend each other`)
    const extended = await load(octokit, place)
    if (!extended) throw wrong(`${nameOf(place)} does not exist, or the App has no access to it`)
    await addWithExtended(octokit, extended, files, path)
  }
}

/** The member `_extends`: one text, or a list of them. The first one has precedence. */
function extendedBy({ place, value, lineOf }: ConfigFile): readonly string[] {
  const given = value._extends ?? []
  const list: unknown = isString(given) ? [given] : given
  if (isListOf(list, isString)) return list
  throw invalid([problem(place, lineOf(['_extends']), '_extends: must be a text, or a list of texts')])
}

/**
 * `repo`, `owner/repo`, `repo:path` or `owner/repo:path`. The defaults are those of the file that has this text. The
 * owner must be the same: the bot may read private files of other owners, and the errors would show their contents.
 */
function placeOf(text: string, { place, lineOf }: ConfigFile): Place {
  const wrong = (rule: string) =>
    invalid([problem(place, lineOf(['_extends']), `_extends: ${rule}, got ${JSON.stringify(text)}`)])
  const [, owner = place.owner, repo = '', path = place.path] =
    /^(?:([\w-]+)\/)?([\w.-]+)(?::([^:]+\.(?:ya?ml|json)))?$/.exec(text) ?? []
  if (repo === '' || /(^|\/)\.\.?(\/|$)/.test(`${repo}/${path}`))
    throw wrong('must be "repo", "owner/repo", or one of them with ":path/of/the/file.yml"')
  if (owner.toLowerCase() !== place.owner.toLowerCase()) throw wrong(`must be a repository of ${place.owner}`)
  return { owner: place.owner, repo, path }
}

async function validated(schema: StandardSchemaV1, value: unknown, files: readonly ConfigFile[]): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return result.value
  throw invalid(result.issues.slice(0, maxIssues).map((issue) => describe(issue, files)))
}

function describe({ message, path = [] }: SchemaIssue, files: readonly ConfigFile[]): string {
  const names = path.map((part) => (typeof part === 'object' ? part.key : part))
  const [first = ''] = names
  const { place, lineOf } = files.find(({ value }) => Object.hasOwn(value, first)) ?? (files[0] as ConfigFile)
  return problem(place, lineOf(names), names.length > 0 ? `${names.map(String).join('.')}: ${message}` : message)
}

const nameOf = ({ owner, repo, path }: Place): string => `${path} of ${owner}/${repo}`

const problem = (place: Place, line: number | undefined, message: string): string =>
  `${nameOf(place)}${line === undefined ? '' : `, line ${line}`}: ${message}`

/** A retry reads the same file, so it does not help. A delivery after the repair of the file reads the new one. */
const invalid = (problems: readonly string[], cause?: unknown): Unrecoverable =>
  new Unrecoverable(`Invalid configuration: ${problems.join('\n')}`, { cause })
