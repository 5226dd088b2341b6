import { configRequest, maxConfigLength, parseYaml } from '../runtime/config-file.ts'
import { isObject } from '../runtime/json.ts'
import { isMissingPackage } from '../runtime/platform.ts'
import { Unrecoverable } from '../thrown.ts'

/** The members of a configuration file. */
export type Config = Record<string, unknown>

/** A place where a configuration file is looked for. */
export interface ConfigFile {
  owner: string
  repo: string
  path: string
  url: string
  /** `null` if there is no such file. */
  config: Config | null
}

/** The arguments of `octokit.config.get()`. */
export interface ConfigQuery<Value extends object = Config> {
  owner: string
  repo: string
  /** Ends with `.yml`, `.yaml` or `.json`. */
  path: string
  /** Default: the default branch. */
  branch?: string
  /** The values of members that no file has, or a function that merges the files. The last one has precedence. */
  defaults?: Partial<Value> | ((configs: Config[]) => Config)
}

/** The result of `octokit.config.get()`. */
export interface ConfigResult<Value extends object = Config> {
  /** All places that were looked at: the file, then the files that it extends. */
  files: ConfigFile[]
  config: Value
}

/** The part of an Octokit that reads files. */
export interface FileReader {
  request: {
    (route: string, parameters: Record<string, unknown>): Promise<{ data: unknown }>
    endpoint(route: string, parameters: Record<string, unknown>): { url: string }
  }
}

/** A plugin of Octokit: `octokit.config.get({ owner, repo, path })` reads configuration files. */
export function configPlugin(octokit: object) {
  const get = <Value extends object = Config>(query: ConfigQuery<Value>): Promise<ConfigResult<Value>> =>
    getConfig(octokit as FileReader, query)
  return { config: { get } }
}

async function getConfig<Value extends object>(
  octokit: FileReader,
  { defaults = {}, ...query }: ConfigQuery<Value>,
): Promise<ConfigResult<Value>> {
  const files = await readFiles(octokit, query)
  const configs = files.flatMap(({ config }) => (config === null ? [] : [config])).toReversed()
  const config = typeof defaults === 'function' ? defaults(configs) : Object.assign({}, defaults, ...configs)
  return { files, config: config as Value }
}

const maxExtended = 10

type Place = Pick<ConfigFile, 'owner' | 'repo' | 'path'> & { branch?: string }

/**
 * Reads the file of the repository, else that of the owner's repository `.github`, and then each file that the last one
 * extends.
 * @throws {Error} (rejects) if a file is not valid, extends itself, or extends more than `maxExtended` files.
 */
async function readFiles(octokit: FileReader, place: Place): Promise<ConfigFile[]> {
  const files = [await readFile(octokit, place)]
  if (!files[0]?.config && place.repo !== '.github') {
    files.push(await readFile(octokit, { owner: place.owner, repo: '.github', path: place.path }))
  }
  let extended = 0
  for (let last = files.at(-1); last?.config && '_extends' in last.config; last = files.at(-1)) {
    const { _extends, ...config } = last.config
    last.config = config
    if (!_extends) break
    const base = parseExtends(_extends, place, last.url)
    const again = files.find(({ owner, repo, path }) => isSame({ owner, repo, path }, base))
    if (again) throw new Error(`${last.url} extends ${again.url}, which extends it: remove one "_extends"`)
    if (++extended > maxExtended) throw new Error(`${last.url}: more than ${maxExtended} files extend each other`)
    files.push(await readFile(octokit, base))
  }
  return files
}

const isSame = (one: Place, other: Place): boolean =>
  one.owner === other.owner && one.repo === other.repo && one.path === other.path

/** @param value `repo`, `owner/repo`, `repo:path` or `owner/repo:path`. @throws {Error} */
function parseExtends(value: unknown, { owner, path }: Place, url: string): Place {
  const match = /^(?:([a-z\d-]+)\/)?([-.\w]+)(?::([-./\w]+\.ya?ml))?$/i.exec(String(value))
  if (!match || /(^|\/)\.\.?(\/|$)/.test(`${match[2]}/${match[3]}`)) {
    throw new Error(`${url}: "_extends" must be "repo", "owner/repo" or "owner/repo:path.yml", got ${value}`)
  }
  return { owner: match[1] ?? owner, repo: match[2] as string, path: match[3] ?? path }
}

/** @throws {Error} (rejects) if the file is not valid, or if GitHub rejects the request for another reason than 404. */
async function readFile(octokit: FileReader, { owner, repo, path, branch }: Place): Promise<ConfigFile> {
  if (!/\.(ya?ml|json)$/i.test(path)) {
    throw new Error(`A configuration file ends with .yml, .yaml or .json, got ${JSON.stringify(path)}`)
  }
  const route = 'GET /repos/{owner}/{repo}/contents/{path}'
  const parameters = { owner, repo, path, mediaType: { format: 'raw' }, ...(branch && { ref: branch }) }
  const { url } = octokit.request.endpoint(route, parameters)
  const file = { owner, repo, path, url }
  try {
    const { data } = await octokit.request(route, { ...parameters, request: configRequest(octokit) })
    return { ...file, config: await parseFile(data, file) }
  } catch (error) {
    if ((error as { status?: number }).status === 404) return { ...file, config: null }
    throw error
  }
}

/** @throws {Error} (rejects) if the text is too long, or not an object. */
async function parseFile(data: unknown, { path, url }: Pick<ConfigFile, 'path' | 'url'>): Promise<Config> {
  if (Array.isArray(data)) throw new Error(`${url} is a folder, not a configuration file`)
  const isJson = /\.json$/i.test(path)
  if (isJson && isObject(data)) return data // Octokit has parsed it
  const text = data instanceof ArrayBuffer ? new TextDecoder().decode(data) : String(data)
  if (text.length > maxConfigLength) throw new Unrecoverable(`${url} must have at most ${maxConfigLength} characters`)
  const parse: (text: string) => unknown = isJson ? JSON.parse : await yamlParser()
  let config: unknown
  try {
    config = parse(text)
  } catch (cause) {
    throw new Error(`${url} is not valid ${isJson ? 'JSON' : 'YAML'}: ${(cause as Error).message}`, { cause })
  }
  if (config === null || config === undefined) return {} // an empty file
  if (!isObject(config)) throw new Error(`${url} must contain members such as "name: value"`)
  return config
}

async function yamlParser(): Promise<(text: string) => unknown> {
  const yaml = await loadYaml()
  return (text) => {
    const { document, lineAt } = parseYaml(yaml, text)
    const [error] = document.errors
    if (error) throw new Error(`${error.message}, in line ${lineAt(error.pos[0])}`)
    return document.toJS()
  }
}

/** Loads the optional package `yaml`. @throws {Error} (rejects) if it is not installed. */
async function loadYaml(): Promise<typeof import('yaml')> {
  try {
    return await import('yaml') // in a `try`, so that bundlers accept that it may be missing
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause
    throw new Error('context.config() needs the package "yaml" beside hookserver: npm install yaml', { cause })
  }
}
