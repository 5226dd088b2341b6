/**
 * Loaded before a program (`--import`), and in its threads: the time of day is off by as many milliseconds as the file
 * named by `SHIFT` contains, and jumps when that number changes.
 */
import { readFileSync } from 'node:fs'

const now = Date.now
const shifted = (): number => now() + Number(readFileSync(process.env.SHIFT as string, 'utf8') || 0)

globalThis.Date = new Proxy(Date, {
  construct: (target, args, self) => Reflect.construct(target, args.length > 0 ? args : [shifted()], self),
  get: (target, name) => (name === 'now' ? shifted : Reflect.get(target, name)),
})
