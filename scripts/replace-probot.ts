/** Replaces the package `probot` of a project by `hookserver/probot`: `node scripts/replace-probot.ts ../cation` */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const [project] = process.argv.slice(2)
if (project === undefined) throw new Error('Name the folder of the project, as in ../cation')
const folder = resolve(project, 'node_modules/probot')
rmSync(folder, { recursive: true }) // fails if the packages of the project are not installed
mkdirSync(folder)
const built = new URL('../dist/probot/index.js', import.meta.url)
writeFileSync(`${folder}/package.json`, '{ "type": "module", "exports": "./index.js" }')
writeFileSync(`${folder}/index.js`, `export * from ${JSON.stringify(built.href)}\n`)
