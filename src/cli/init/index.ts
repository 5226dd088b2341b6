import { basename, relative, resolve } from 'node:path'
import { stderr, stdin } from 'node:process'
import { type Command, Option } from 'commander'
import { plural, shellQuoted } from '../../runtime/format.ts'
import { UsageError } from '../flags.ts'
import { jsonLine, printLines } from '../output.ts'
import { ask } from '../prompts.ts'
import { checkPackageName } from './package-name.ts'
import { type PlannedFile, planFiles, type Step } from './plan.ts'
import { isTemplate, projectFiles, type TemplateName, templateNames, templates } from './templates.ts'
import { assertFolder, writeFiles } from './write-files.ts'

const answers = ['keep', 'overwrite'] as const
type Answer = (typeof answers)[number]

interface Flags {
  template?: TemplateName
  name?: string
  existing?: Answer
  yes?: true
  dryRun?: true
  json?: true
}

export function addInit(program: Command): void {
  program
    .command('init [dir]')
    .summary('Create a project, from a template')
    .description(
      'Creates a project in a folder, the current one by default: handlers with their tests, and the files to run them. ' +
        'Asks for the folder and the template unless you name them.',
    )
    .addOption(new Option('--template <name>', templateHelp).choices(templateNames))
    .option('--name <name>', 'Name of the package (default: the name of the folder)')
    .addOption(new Option('--existing <what>', 'What to do with files in the way (default: ask)').choices(answers))
    .option('--yes', 'Do not ask: use the defaults')
    .option('--dry-run', 'Only list the files')
    .option('--json', 'Print one JSON object')
    .addHelpText('after', examples)
    .action(createProject)
}

const templateHelp = 'Template (default: the one with the same name as the folder, otherwise "handler")'

const templateLines = templateNames.map((name) => `  ${name.padEnd(8)}  ${templates[name].summary}`)

const examples = `
Templates:
${templateLines.join('\n')}

The command overwrites a file only if you agree, or pass --existing overwrite. It adds missing entries to package.json
and .gitignore.

Examples:
  hookserver init                            ask for the folder and the template
  hookserver init bot --yes                  a bot, in the new folder bot
  hookserver init . --template deploy        in the current folder
  hookserver init bot --dry-run --yes        only list the files`

async function createProject(dir: string | undefined, flags: Flags): Promise<void> {
  const folder = resolve(dir ?? (await askUnless(flags, 'the folder', () => ask('Folder', '.'))) ?? '.')
  assertFolder(folder)
  const template =
    flags.template ?? (await askUnless(flags, 'the template', () => askTemplate(folder))) ?? likely(folder)
  const name = flags.name ?? basename(folder)
  checkPackageName(name, template)
  const planned = planFiles(folder, projectFiles(template, name))
  const shown = shownPath(folder)
  const onlyList = flags.dryRun && flags.existing === undefined
  const files = onlyList ? planned : await decide(planned, shown, flags)
  const report = (done: readonly PlannedFile[]) => {
    const steps = done.map(({ path, step }) => ({ path, step }))
    return printLines([jsonLine({ folder, template, dryRun: flags.dryRun === true, files: steps })])
  }
  if (files === undefined) return void (await (flags.json ? report([]) : printLines(['Nothing was written.'])))
  if (!flags.dryRun) writeFiles(folder, files)
  if (flags.json) return void (await report(files))
  const lines = files.map(({ path, step }) => `  ${(flags.dryRun ? step : past[step]).padEnd(11)}  ${path}`)
  await printLines([...lines, '', ...(flags.dryRun ? ['Dry run: nothing was written.'] : ending(template, shown))])
}

/** A path relative to the current folder, or an absolute path if the folder is outside the current folder. */
function shownPath(folder: string): string {
  const path = relative('', folder)
  return path.startsWith('..') ? folder : path || '.'
}

/** @returns `undefined` with `--yes`. @throws {UsageError} if there is no terminal for the question, and no `--yes`. */
async function askUnless<Value>(
  { yes }: Flags,
  what: string,
  question: () => Promise<Value>,
): Promise<Value | undefined> {
  if (yes) return undefined
  if (stdin.isTTY) return question()
  throw new UsageError(`Cannot ask for ${what} without a terminal: name ${what}, or pass --yes for the defaults`)
}

const likely = (folder: string): TemplateName =>
  isTemplate(basename(folder)) ? (basename(folder) as TemplateName) : 'handler'

async function askTemplate(folder: string): Promise<TemplateName> {
  stderr.write(`${templateLines.join('\n')}\n`)
  let answer: string
  do answer = await ask('Template', likely(folder))
  while (!isTemplate(answer))
  return answer
}

/** What `overwrite` changes in a file that is otherwise merged. */
const changes: Readonly<Record<string, string>> = { 'package.json': ' ("type" becomes "module")' }

/** Asks what to do with the files that are in the way. @returns `undefined` if the command must not write anything. */
async function decide(
  files: readonly PlannedFile[],
  folder: string,
  { existing, yes }: Flags,
): Promise<readonly PlannedFile[] | undefined> {
  const inTheWay = files.filter(({ step }) => step === 'overwrite').map(({ path }) => path + (changes[path] ?? ''))
  if (inTheWay.length === 0 || existing === 'overwrite') return files
  const list = `${plural(inTheWay.length, 'file')} in ${folder} would be overwritten: ${inTheWay.join(', ')}`
  if (existing === undefined && (yes || !stdin.isTTY)) {
    throw new Error(
      `${list}.\nNothing was written. Pass --existing keep or --existing overwrite, or choose another folder`,
    )
  }
  const answer = existing ?? (await askExisting(list))
  if (answer === undefined) return undefined
  return answer === 'overwrite'
    ? files
    : files.map((file) => (file.step === 'overwrite' ? { ...file, step: 'keep' } : file))
}

async function askExisting(list: string): Promise<Answer | undefined> {
  stderr.write(`${list}\n`)
  const answer = await ask('Keep them, overwrite them, or cancel?', 'cancel')
  return answers.find((one) => one === answer)
}

const past: Readonly<Record<Step, string>> = {
  create: 'created',
  update: 'updated',
  overwrite: 'overwritten',
  keep: 'kept',
}

function ending(template: TemplateName, folder: string): string[] {
  const commands: (readonly [string, string?])[] = [
    ...(folder === '.' ? [] : [[`cd ${shellQuoted(folder)}`] as const]),
    ['npm install'],
    ['npm test'],
    ...templates[template].next,
  ]
  const width = Math.max(...commands.map(([command]) => command.length))
  const lines = commands.map(([command, effect]) =>
    `  ${command.padEnd(width)}  ${effect ? `# ${effect}` : ''}`.trimEnd(),
  )
  return [`Created a project in ${folder} with the template ${template}. Next:`, '', ...lines]
}
