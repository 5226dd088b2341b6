/** The configuration of a bot in a repository. Loaded when a handler first reads one. */
import { pushedCommit } from '../events.ts'
import { checkOptions, isListOf, isString, must } from '../runtime/check-options.ts'
import { objectIn, textIn } from '../runtime/json.ts'
import { Unrecoverable } from '../thrown.ts'
import { CheckRequests } from './check-requests.ts'
import { readFile } from './config-files.ts'
import { type ConfigText, ConfigTextError, parseConfig } from './config-text.ts'
import type { BotContext, BotOctokit } from './context.ts'
import type { ConfigOptions } from './members.ts'
import type { SchemaIssue, StandardSchemaV1 } from './standard-schema.ts'
import { type RepositoryTarget, repositoryTarget } from './targets.ts'

/** The place of a file: a repository, and a path in it. */
interface Place extends RepositoryTarget {
  path: string
}

interface ConfigFile extends ConfigText {
  place: Place
}

interface Problem {
  place: Place
  line: number | undefined
  message: string
}

const isFlag = must((value) => typeof value === 'boolean', 'true or false')

const maxExtends = 10
const maxIssues = 10

/** See `BotMembers.config`. */
export async function readConfig(
  context: BotContext,
  file: string,
  schema?: StandardSchemaV1,
  options: ConfigOptions = {},
): Promise<unknown> {
  checkOptions(options, { check: isFlag }, { suffix: ' of delivery.config()' })
  if (!isString(file) || !/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+\.(ya?ml|json)$/.test(file)) {
    const rule = 'the name of a file in the folder .github that ends with .yml, .yaml or .json'
    throw new TypeError(`delivery.config(): the file must be ${rule}, got ${JSON.stringify(file)}`)
  }
  const target = repositoryTarget(context, 'config')
  const octokit = await context.octokit()
  const path = `.github/${file}`
  try {
    return await readFiles(octokit, target, path, schema)
  } catch (error) {
    if (options.check && error instanceof InvalidConfig)
      await reportProblems(context, octokit, { ...target, path }, error)
    throw error
  }
}

async function readFiles(
  octokit: BotOctokit,
  target: RepositoryTarget,
  path: string,
  schema: StandardSchemaV1 | undefined,
): Promise<unknown> {
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

function describe({ message, path = [] }: SchemaIssue, files: readonly ConfigFile[]): Problem {
  const names = path.map((part) => (typeof part === 'object' ? part.key : part))
  const [first = ''] = names
  const { place, lineOf } = files.find(({ value }) => Object.hasOwn(value, first)) ?? (files[0] as ConfigFile)
  return problem(place, lineOf(names), names.length > 0 ? `${names.map(String).join('.')}: ${message}` : message)
}

const nameOf = ({ owner, repo, path }: Place): string => `${path} of ${owner}/${repo}`

const problem = (place: Place, line: number | undefined, message: string): Problem => ({ place, line, message })

const textOf = ({ place, line, message }: Problem): string =>
  `${nameOf(place)}${line === undefined ? '' : `, line ${line}`}: ${message}`

const invalid = (problems: readonly Problem[], cause?: unknown) => new InvalidConfig(problems, cause)

/** A retry reads the same file, so it does not help. A delivery after the repair of the file reads the new one. */
class InvalidConfig extends Unrecoverable {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], cause: unknown) {
    super(`Invalid configuration: ${problems.map(textOf).join('\n')}`, { cause })
    this.problems = problems
  }
}

/**
 * Shows the problems of a file at the commit that a push added to the default branch. Not those of files in other
 * repositories, because users who see the commit may not see these files. If GitHub does not take the report, the error
 * of the file still ends the attempt.
 */
async function reportProblems(
  context: BotContext,
  octokit: BotOctokit,
  file: Place,
  { problems }: InvalidConfig,
): Promise<void> {
  const { members, event, delivery } = context
  const branch = textIn(objectIn(members, 'repository'), 'default_branch')
  const headSha = pushedCommit(members)
  const own = problems.filter(({ place }) => place.owner === file.owner && place.repo === file.repo)
  if (event !== 'push' || textIn(members, 'ref') !== `refs/heads/${branch}` || own.length === 0 || !headSha) return
  const appId = delivery.targetType === 'integration' ? delivery.targetId : undefined
  const { path, ...repository } = file
  const requests = new CheckRequests(octokit, { name: path, headSha, repository, appId })
  try {
    await requests.start(context)
    const summary = own.map((one) => `- ${textOf(one)}`).join('\n')
    await requests.complete('failure', { title: 'Invalid configuration', summary })
  } catch (err) {
    delivery.log.warn({ err }, `Cannot report the problems of ${nameOf(file)} to GitHub`)
  }
}
