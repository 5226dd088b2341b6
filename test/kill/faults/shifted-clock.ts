/**
 * Loaded before a program (`--import`), and in its threads. Shifts the time of day by the number of milliseconds in the
 * file that `SHIFT` names. The time of day jumps when that number changes.
 */
import { readFileSync } from 'node:fs'

const now = Date.now
const shifted = (): number => now() + Number(readFileSync(process.env.SHIFT as string, 'utf8') || 0)

globalThis.Date = new Proxy(Date, {
  construct: (target, args, self) => Reflect.construct(target, args.length > 0 ? args : [shifted()], self),
  get: (target, name) => (name === 'now' ? shifted : Reflect.get(target, name)),
})
