/**
 * Writes `test/types/interface.api.md`, with the declarations of everything that the entry points export, and
 * `docs/interface.md`, with one line for each name of the interface. A change of a public type shows in the diff of these
 * files. `npm run check` runs the program with `--check`, which only compares. Reads `dist`, so build first.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { type Export, interfacePage, missingEndpoints, missingVariables } from './interface-page.ts'
import { ts } from './typescript-api.ts'

const root = join(import.meta.dirname, '..')

/** The entry points by specifier, such as `hookserver/node`, with the file of their types. */
const entryPoints = Object.entries(manifest.exports).flatMap(([subpath, entry]) =>
  typeof entry === 'string' ? [] : [[`hookserver${subpath.slice(1)}`, join(root, entry.types)] as const],
)

const program = ts.createProgram(
  entryPoints.map(([, file]) => file),
  {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    noLib: true, // symbols are enough
    types: [],
  },
)
const checker = program.getTypeChecker()
const printer = ts.createPrinter({ removeComments: true })

/** The entry point that declares a symbol: the first one that exports it. */
const exportedBy = new Map<ts.Symbol, string>()

/** The symbol that an export or a reference stands for. */
const resolve = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

/** The exports of an entry point by name, sorted. */
function exportsOf(file: string): [string, ts.Symbol][] {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol
  const exports = checker.getExportsOfModule(module).map((symbol) => [symbol.name, resolve(symbol)] as const)
  return exports.toSorted(([a], [b]) => (a < b ? -1 : 1)) as [string, ts.Symbol][]
}

const isOurs = (declaration: ts.Declaration): boolean =>
  declaration.getSourceFile().fileName.startsWith(join(root, 'dist'))

/** The declarations of a symbol in `dist`. For a constant: its statement. */
function declarationsOf(symbol: ts.Symbol): ts.Node[] {
  return (symbol.declarations ?? []).filter(isOurs).map((declaration) => {
    return ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  })
}

/** Whether a member of a class is private. Its type is not part of the interface. */
const isPrivate = (node: ts.Node): boolean =>
  ts.canHaveModifiers(node) && !!ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)

const textOf = (node: ts.Node): string =>
  printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()).replace(/^export |\bdeclare /g, '')

/** The symbols of `dist` that a declaration mentions, apart from private members. */
function mentionedBy(node: ts.Node, found: Set<ts.Symbol> = new Set()): Set<ts.Symbol> {
  if (isPrivate(node)) return found
  const name = ts.isTypeReferenceNode(node)
    ? node.typeName
    : ts.isExpressionWithTypeArguments(node)
      ? node.expression
      : ts.isTypeQueryNode(node)
        ? node.exprName
        : undefined
  const symbol = name && checker.getSymbolAtLocation(name)
  const target = symbol && resolve(symbol)
  if (target?.declarations?.some(isOurs)) found.add(target)
  ts.forEachChild(node, (child) => void mentionedBy(child, found))
  return found
}

for (const [specifier, file] of entryPoints) {
  for (const [, symbol] of exportsOf(file)) if (!exportedBy.has(symbol)) exportedBy.set(symbol, specifier)
}

const sections = entryPoints.map(([specifier, file]) => {
  const lines = exportsOf(file).flatMap(([name, symbol]) => {
    const owner = exportedBy.get(symbol)
    return owner === specifier ? declarationsOf(symbol).map(textOf) : [`export { ${name} } from '${owner}'`]
  })
  return `## ${specifier}\n\n\`\`\`ts\n${lines.join('\n')}\n\`\`\`\n`
})

/**
 * Whether users may need the name of a type that an exported declaration mentions. Two kinds of aliases are only steps of
 * other types: those with type parameters, and those that only other aliases mention.
 */
function needsName(mentioned: ts.Symbol, by: ts.Symbol): boolean {
  if (mentioned.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class)) return true
  if (!(mentioned.flags & ts.SymbolFlags.TypeAlias) || by.flags & ts.SymbolFlags.TypeAlias) return false
  return !mentioned.declarations?.some((one) => ts.isTypeAliasDeclaration(one) && one.typeParameters !== undefined)
}

/** Types that exported declarations mention, and that no entry point exports. Users could not name them. */
const unexported = [...exportedBy.keys()].flatMap((symbol) => {
  const mentioned = declarationsOf(symbol).flatMap((declaration) => [...mentionedBy(declaration)])
  const missing = mentioned.filter((one) => needsName(one, symbol) && !exportedBy.has(one))
  return missing.map(({ name }) => `${exportedBy.get(symbol)}: ${symbol.name} mentions ${name}, which is not exported`)
})

const report = `# Public types

\`node scripts/interface-report.ts\` writes this file. It has the declarations of all exports, without comments.

${sections.join('\n')}`

const kinds: [ts.SymbolFlags, string][] = [
  [ts.SymbolFlags.Class, 'class'],
  [ts.SymbolFlags.Function, 'function'],
  [ts.SymbolFlags.Variable, 'constant'],
]

const textOfSymbol = (symbol: ts.Symbol | undefined): string =>
  ts.displayPartsToString(symbol?.getDocumentationComment(checker))

/** The options that a type declares itself. */
function optionsIn(node: ts.Node): Export['members'] {
  if (ts.isPropertySignature(node) || ts.isMethodSignature(node)) {
    return [{ name: node.name.getText(), text: textOfSymbol(checker.getSymbolAtLocation(node.name)) }]
  }
  const members: Export['members'][number][] = []
  ts.forEachChild(node, (child) => void members.push(...optionsIn(child)))
  return members
}

/** `docs/interface.md` has the options of these types in a table of their own. */
const documentedOptions = ['HooksOptions', 'MountOptions']

const isOptions = (name: string): boolean => /(Options|Limits)$/.test(name) && !documentedOptions.includes(name)

const toExport = ([name, symbol]: readonly [string, ts.Symbol]): Export => ({
  name,
  kind: kinds.find(([flag]) => symbol.flags & flag)?.[1] ?? 'type',
  text: textOfSymbol(symbol),
  members: isOptions(name) ? declarationsOf(symbol).flatMap(optionsIn) : [],
})
const exports = entryPoints.map(([specifier, file]) => [specifier, exportsOf(file).map(toExport)] as const)

const page = await interfacePage(new Map(exports))
const files = { 'test/types/interface.api.md': report, 'docs/interface.md': page }

const withoutText = exports.flatMap(([specifier, list]) =>
  list.filter(({ text }) => text === '').map(({ name }) => `${specifier}: ${name} has no comment`),
)

/** Types of objects that other packages create or GitHub sends. Their members have the documentation of their origin. */
const foreign = new Set([
  ...['AnyOctokit', 'OctokitClass', 'CheckAnnotation', 'CheckOutput', 'Installation', 'ScheduledInstallation'],
  ...['ScheduledRepository', 'SchemaIssue', 'StandardSchemaV1', 'Hmac', 'Incoming', 'NodeResponse', 'KoaContext'],
  ...['Outgoing', 'HonoContext', 'LambdaEvent', 'LambdaResult', 'PoolLike'],
])
/** The entry point that repeats the interface of another package. */
const foreignEntryPoint = 'hookserver/probot'

const wordsOf = (text: string): string =>
  text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/\b(?:an?|its|the)\b|[^a-z\d]/g, '')

/** The members of exported classes and interfaces without a comment, or with one that only repeats the name. */
const membersWithoutText = [...exportedBy].flatMap(([symbol, specifier]) => {
  if (specifier === foreignEntryPoint || foreign.has(symbol.name)) return []
  const declarations = declarationsOf(symbol).filter(
    (one) => ts.isClassDeclaration(one) || ts.isInterfaceDeclaration(one),
  )
  const members = declarations.flatMap((one) => [...one.members] as ts.NamedDeclaration[])
  const names = members.flatMap((one) => (one.name && ts.isIdentifier(one.name) && !isPrivate(one) ? [one.name] : []))
  const found = new Set(names.map((name) => checker.getSymbolAtLocation(name)))
  return [...found].flatMap((member) => {
    const [text, name = ''] = [wordsOf(textOfSymbol(member)), member?.name]
    const hasText = text !== '' || (member?.getJsDocTags(checker).length ?? 0) > 0
    if (hasText && text !== wordsOf(name)) return []
    return [`${specifier}: ${symbol.name}.${name} has no comment, or one that only repeats its name`]
  })
})

const undocumented = missingVariables(page).map(
  (name) => `src reads the variable ${name}, which docs/interface.md lacks`,
)

const withoutEndpoint = missingEndpoints(page).map(
  (endpoint) => `the admin listener has ${endpoint}, which docs/interface.md lacks`,
)

const faults = [...new Set(unexported), ...withoutText, ...membersWithoutText, ...undocumented, ...withoutEndpoint]
for (const [file, text] of Object.entries(files)) {
  if (!process.argv.includes('--check')) writeFileSync(join(root, file), text)
  else if (text !== readFileSync(join(root, file), 'utf8')) {
    faults.push(`${file} differs from the code: run npm run build, and node scripts/interface-report.ts`)
  }
}
for (const fault of faults) console.error(fault)
console.log(`interface: ${exportedBy.size} exports, ${faults.length} faults`)
process.exitCode = faults.length > 0 ? 1 : 0
