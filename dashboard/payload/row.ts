import { isContainer } from './body.ts'
import type { Place, Tree } from './tree.ts'

/** Characters of a name and of a text that a row shows. */
const maxName = 120
const maxText = 200

export type Kind = 'object' | 'list' | 'string' | 'number' | 'boolean' | 'null'

/** A row as the page shows it. Its texts are cut, so it is small even if its value is large. */
export interface Row {
  position: number
  level: number
  name: string
  isIndex: boolean
  /** The position among the members of its parent, from 1. */
  nth: number
  /** The number of members of its parent. */
  of: number
  kind: Kind
  /** The value as JSON, shortened. For an object, a member that identifies it. */
  text: string
  /** The number of members, or of characters. */
  size: number
  isCut: boolean
  /** `undefined` if the row cannot be opened. */
  isOpen: boolean | undefined
}

export function rowOf(tree: Tree, place: Place, position: number): Row {
  const { fold, index } = place
  const value = fold.at(index)
  const name = fold.name(index)
  const size = sizeOf(value)
  return {
    position,
    level: fold.level,
    name: String(name).slice(0, maxName),
    isIndex: typeof name === 'number',
    nth: index + 1,
    of: fold.size,
    kind: kindOf(value),
    text: textOf(value),
    size,
    isCut: (typeof value === 'string' && size > maxText) || String(name).length > maxName,
    isOpen: isContainer(value) && size > 0 ? tree.openedAt(place) !== undefined : undefined,
  }
}

export function kindOf(value: unknown): Kind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  return typeof value as Kind
}

export function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return isContainer(value) ? Object.keys(value).length : 0
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, maxText))
  return isContainer(value) ? hintOf(value) : String(value)
}

/** Members that identify GitHub's objects, the best first. */
const telling = ['full_name', 'login', 'title', 'name', 'number', 'id']

function hintOf(value: object): string {
  for (const name of telling) {
    const member: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
    if (typeof member === 'string' && member !== '') return member.slice(0, 60)
    if (typeof member === 'number') return String(member)
  }
  return ''
}
