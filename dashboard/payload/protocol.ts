/** What the page asks the worker that holds a payload, and what that answers. */
import type { PayloadForm } from '../../src/receiver/payload.ts'
import type { Comparison } from './compare.ts'
import type { Row } from './row.ts'

export interface Loaded {
  size: number
  /** Rows of the tree; `undefined` where there is none. */
  rows: number | undefined
  /** Why there is none. */
  why: string | undefined
  /** Whether some of its numbers are not quite those that came. */
  isRounded: boolean
  /** The page that it is about, as the payload says. */
  link: string | undefined
}

export interface Whereabouts {
  path: string
  /** The same as the search of deliveries takes it. */
  searchPath: string | undefined
  /** What finds the deliveries with this value there. */
  find: string | undefined
  /** Characters of a text that a row is too small for. */
  length: number | undefined
}

export interface Questions {
  load: { asks: { bytes: ArrayBuffer; form: PayloadForm }; answers: Loaded }
  rows: { asks: { from: number; count: number }; answers: Row[] }
  /** Opens or folds a row. */
  toggle: { asks: { position: number }; answers: { rows: number } }
  openTo: { asks: { level: number }; answers: { rows: number; isCut: boolean } }
  /** What a key does at a row. @param page Rows that are seen. */
  press: { asks: { position: number; key: TreeKey; page: number }; answers: { position: number; rows: number } }
  /** Looks for a text, unless another is looked for meanwhile: then the answer is `undefined`. */
  search: { asks: { text: string }; answers: { count: number; isCut: boolean } | undefined }
  /** Opens whatever a hit is in. */
  hit: { asks: { index: number }; answers: { position: number; rows: number } }
  whereabouts: { asks: { position: number }; answers: Whereabouts }
  /** The value as JSON. */
  json: { asks: { position: number }; answers: string }
  /** Cuts the body, or the text at a position, into slices. */
  lines: { asks: { position?: number; columns: number }; answers: { count: number } }
  slices: { asks: { from: number; count: number }; answers: string[] }
  bytes: { asks: { from: number; count: number }; answers: Uint8Array }
  compare: { asks: { bytes: ArrayBuffer; form: PayloadForm }; answers: Comparison }
}

/** Keys that a tree takes. */
export const treeKeys = [
  ...(['ArrowDown', 'ArrowUp', 'ArrowRight', 'ArrowLeft', 'PageDown', 'PageUp'] as const),
  ...(['Home', 'End', 'Enter', ' '] as const),
]
export type TreeKey = (typeof treeKeys)[number]

export type Name = keyof Questions

export interface Question<Of extends Name = Name> {
  id: number
  name: Of
  asks: Questions[Of]['asks']
}

export type Answer = { id: number; answers: unknown } | { id: number; error: string }
