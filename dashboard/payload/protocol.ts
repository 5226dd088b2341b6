/** The messages between the page and the worker thread that holds a payload. */
import type { PayloadForm } from '../../src/receiver/payload.ts'
import type { Comparison } from './compare.ts'
import type { Row } from './row.ts'

export interface Loaded {
  size: number
  /** The number of rows of the tree. `undefined` without a tree. */
  rows: number | undefined
  /** Why there is no tree. */
  why: string | undefined
  /** Whether parsing has changed some numbers. */
  isRounded: boolean
  /** The address of GitHub's page about the subject of the delivery, from the payload. */
  link: string | undefined
}

export interface RowPath {
  path: string
  /**
   * The path in the syntax of a search: the names, without the indexes of lists. `undefined` if a search cannot express
   * it.
   */
  searchPath: string | undefined
  /** The search for deliveries with the same value. */
  find: string | undefined
  /** The number of characters, if the value is a text that is too long for a row. */
  length: number | undefined
}

export interface Questions {
  load: { asks: { bytes: ArrayBuffer; form: PayloadForm }; answers: Loaded }
  rows: { asks: { from: number; count: number }; answers: Row[] }
  /** Opens or closes a row. */
  toggle: { asks: { position: number }; answers: { rows: number } }
  openTo: { asks: { level: number }; answers: { rows: number; isCut: boolean } }
  /** Handles a key at a row. @param page The number of visible rows. */
  press: { asks: { position: number; key: TreeKey; page: number }; answers: { position: number; rows: number } }
  /** Searches for a text. The answer is `undefined` if a later search has replaced it. */
  search: { asks: { text: string }; answers: { count: number; isCut: boolean } | undefined }
  /** Expands all parents of a search result. */
  hit: { asks: { index: number }; answers: { position: number; rows: number } }
  rowPath: { asks: { position: number }; answers: RowPath }
  /** The value as JSON. */
  json: { asks: { position: number }; answers: string }
  /** Divides the body, or the text at a position, into slices. */
  lines: { asks: { position?: number; columns: number }; answers: { count: number } }
  slices: { asks: { from: number; count: number }; answers: string[] }
  bytes: { asks: { from: number; count: number }; answers: Uint8Array }
  compare: { asks: { bytes: ArrayBuffer; form: PayloadForm }; answers: Comparison }
}

/** The keys of a tree. */
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
