/**
 * A value as rows. Only members of open nodes are rows. A position identifies a row, and closed nodes need no memory,
 * so a payload of 25 MB with a million members opens, closes and scrolls without a delay.
 */
import { type Container, isContainer } from './body.ts'

/** An open object or list. */
class Fold {
  readonly value: Container
  /** The names of the members of an object. A list has none. */
  readonly keys: readonly string[] | undefined
  readonly up: Place | undefined
  readonly level: number
  /** Its open members, in the order of their indexes. */
  readonly opened: { index: number; fold: Fold }[] = []
  /** The number of rows below it. */
  rows: number

  constructor(value: Container, up?: Place) {
    this.value = value
    this.keys = Array.isArray(value) ? undefined : Object.keys(value)
    this.up = up
    this.level = up ? up.fold.level + 1 : 1
    this.rows = this.size
  }

  get size(): number {
    return this.keys?.length ?? (this.value as unknown[]).length
  }

  at(index: number): unknown {
    const { keys, value } = this
    return keys ? (value as Record<string, unknown>)[keys[index] as string] : (value as unknown[])[index]
  }

  name(index: number): string | number {
    return this.keys?.[index] ?? index
  }
}

/** Identifies a row: the open object or list (`fold`), and which of its members the row shows (`index`). */
export interface Place {
  fold: Fold
  index: number
}

/** Maximum number of nodes that `openTo` opens. */
export const maxOpened = 200_000

export class Tree {
  root: Fold

  constructor(value: Container) {
    this.root = new Fold(value)
  }

  get rows(): number {
    return this.root.rows
  }

  valueAt({ fold, index }: Place): unknown {
    return fold.at(index)
  }

  /** The row at a position. */
  locate(position: number): Place | undefined {
    if (position < 0 || position >= this.rows) return undefined
    let fold = this.root
    let left = position
    for (;;) {
      let index = 0
      let inner: Fold | undefined
      for (const one of fold.opened) {
        const before = one.index - index + 1
        if (left < before) break
        left -= before
        index = one.index + 1
        if (left < one.fold.rows) {
          inner = one.fold
          break
        }
        left -= one.fold.rows
      }
      if (!inner) return { fold, index: index + left }
      fold = inner
    }
  }

  positionOf({ fold, index }: Place): number {
    let position = 0
    for (let at: Place | undefined = { fold, index }; at; at = at.fold.up) {
      position += at.index + (at.fold.up ? 1 : 0)
      for (const one of at.fold.opened) {
        if (one.index >= at.index) break
        position += one.fold.rows
      }
    }
    return position
  }

  /** At most `count` rows, from a position on. */
  *from(position: number, count: number): Generator<Place> {
    let at = this.locate(position)
    for (let left = count; at && left > 0; left--) {
      yield at
      at = this.#after(at)
    }
  }

  openedAt(place: Place): Fold | undefined {
    const { opened } = place.fold
    const at = nearest(opened, place.index)
    return opened[at]?.index === place.index ? opened[at].fold : undefined
  }

  /** Opens a row, if it has members. */
  open(place: Place): Fold | undefined {
    const known = this.openedAt(place)
    const value = this.valueAt(place)
    if (known || !isContainer(value)) return known
    const fold = new Fold(value, place)
    if (fold.size === 0) return undefined
    place.fold.opened.splice(nearest(place.fold.opened, place.index), 0, { index: place.index, fold })
    addRows(place.fold, fold.rows)
    return fold
  }

  close(place: Place): void {
    const fold = this.openedAt(place)
    if (!fold) return
    place.fold.opened.splice(nearest(place.fold.opened, place.index), 1)
    addRows(place.fold, -fold.rows)
  }

  /**
   * Expands all nodes down to a level, and collapses deeper ones.
   * @returns whether the expansion stopped at the maximum number of nodes.
   */
  openTo(level: number): boolean {
    this.root = new Fold(this.root.value)
    const folds = [this.root]
    let isCut = false
    for (let at = 0; at < folds.length; at++) {
      const fold = folds[at] as Fold
      if (fold.level >= level) break // `folds` is sorted by level
      for (let index = 0; index < fold.size && !isCut; index++) {
        const value = fold.at(index)
        if (!isContainer(value)) continue
        const inner = new Fold(value, { fold, index })
        if (inner.size === 0) continue
        fold.opened.push({ index, fold: inner })
        folds.push(inner)
        isCut = folds.length >= maxOpened
      }
    }
    for (const { up, rows } of inReverse(folds)) if (up) up.fold.rows += rows
    return isCut
  }

  /** Opens all parents of a row. @param indices From the root to the row. */
  reveal(indices: readonly number[]): Place {
    let fold = this.root
    for (const index of indices.slice(0, -1)) fold = this.open({ fold, index }) ?? fold
    return { fold, index: indices.at(-1) ?? 0 }
  }

  #after(place: Place): Place | undefined {
    const inner = this.openedAt(place)
    if (inner) return { fold: inner, index: 0 }
    let at: Place | undefined = place
    while (at && at.index === at.fold.size - 1) at = at.fold.up
    return at && { fold: at.fold, index: at.index + 1 }
  }
}

function addRows(fold: Fold, rows: number): void {
  for (let at: Fold | undefined = fold; at; at = at.up?.fold) at.rows += rows
}

/** The position of a member in `opened`, or the position at which to insert it. */
function nearest(opened: Fold['opened'], index: number): number {
  let [low, high] = [0, opened.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((opened[middle] as { index: number }).index < index) low = middle + 1
    else high = middle
  }
  return low
}

function* inReverse<Item>(items: readonly Item[]): Generator<Item> {
  for (let at = items.length - 1; at >= 0; at--) yield items[at] as Item
}

/** The names from the root to a row. */
export function namesOf(place: Place): (string | number)[] {
  const names: (string | number)[] = []
  for (let at: Place | undefined = place; at; at = at.fold.up) names.push(at.fold.name(at.index))
  return names.reverse()
}
