import { isObject, type Json } from '../../src/runtime/json.ts'
import { contentsOf } from './body.ts'
import { compare } from './compare.ts'
import { hitsIn, indicesOf, maxHits, patternOf, type Trail } from './find.ts'
import { Lines } from './lines.ts'
import { findText, pathOf, searchPathOf } from './path.ts'
import type { Loaded, Questions, RowPath, TreeKey } from './protocol.ts'
import { type Row, rowOf } from './row.ts'
import { subjectLink, subjectOf } from './subject.ts'
import { namesOf, type Place, Tree } from './tree.ts'

/** The object that the delivery is about is collapsed at first if it has more members than this. */
const maxAtFirst = 100
/** Milliseconds for which a search runs before other requests get a turn. */
const turn = 20

/** Whether a text is too long for a row. */
const isLong = (text: string): boolean => text.length > 60 || text.includes('\n')

type Answers = { [Name in keyof Questions]: (asks: Questions[Name]['asks']) => unknown }

/** A body, its value, and its open nodes. Answers the requests of the page. */
export class Payload implements Answers {
  #bytes = new Uint8Array()
  #tree: Tree | undefined
  #hits: Trail[] = []
  #searches = 0
  #lines = new Lines('', 80)

  load({ bytes, form }: Questions['load']['asks']): Loaded {
    this.#bytes = new Uint8Array(bytes)
    const contents = contentsOf(this.#bytes, form)
    const size = this.#bytes.length
    if ('why' in contents) return { size, rows: undefined, why: contents.why, isRounded: false, link: undefined }
    const { value, isRounded } = contents
    this.#tree = new Tree(value)
    const link = isObject(value) ? subjectLink(value) : undefined
    if (isObject(value)) this.#openSubject(this.#tree, value)
    return { size, rows: this.#tree.rows, why: undefined, isRounded, link: link?.slice(0, 2000) }
  }

  rows({ from, count }: Questions['rows']['asks']): Row[] {
    const tree = this.#shown
    return [...tree.from(from, count)].map((place, index) => rowOf(tree, place, from + index))
  }

  toggle({ position }: Questions['toggle']['asks']): { rows: number } {
    this.#turn(this.#at(position))
    return { rows: this.#shown.rows }
  }

  openTo({ level }: Questions['openTo']['asks']): { rows: number; isCut: boolean } {
    const isCut = this.#shown.openTo(level)
    return { rows: this.#shown.rows, isCut }
  }

  press({ position, key, page }: Questions['press']['asks']): { position: number; rows: number } {
    const place = this.#at(position)
    const isOpen = this.#shown.openedAt(place) !== undefined
    const { up } = place.fold
    const acts: Record<TreeKey, () => number | undefined> = {
      ArrowDown: () => position + 1,
      ArrowUp: () => position - 1,
      PageDown: () => position + page,
      PageUp: () => position - page,
      Home: () => 0,
      End: () => this.#shown.rows - 1,
      Enter: () => this.#turn(place),
      ' ': () => this.#turn(place),
      ArrowRight: () => (isOpen ? position + 1 : this.#turn(place)),
      ArrowLeft: () => (isOpen ? this.#turn(place) : up && this.#shown.positionOf(up)),
    }
    const next = acts[key]() ?? position
    const { rows } = this.#shown
    return { position: Math.max(0, Math.min(rows - 1, next)), rows }
  }

  async search({ text }: Questions['search']['asks']): Promise<Questions['search']['answers']> {
    const search = ++this.#searches
    const hits: Trail[] = []
    let isCut = false
    if (text !== '') {
      let since = performance.now()
      for (const hit of hitsIn(this.#shown.root.value, patternOf(text))) {
        if (hit) hits.push(hit)
        if ((isCut = hits.length >= maxHits)) break
        if (hit || performance.now() - since < turn) continue
        await new Promise((resolve) => setTimeout(resolve))
        if (search !== this.#searches) return undefined
        since = performance.now()
      }
    }
    this.#hits = hits
    return { count: hits.length, isCut }
  }

  hit({ index }: Questions['hit']['asks']): { position: number; rows: number } {
    const trail = this.#hits[index]
    if (!trail) throw new Error('This search result no longer exists')
    const position = this.#shown.positionOf(this.#shown.reveal(indicesOf(trail)))
    return { position, rows: this.#shown.rows }
  }

  rowPath({ position }: Questions['rowPath']['asks']): RowPath {
    const place = this.#at(position)
    const names = namesOf(place)
    const value = this.#shown.valueAt(place)
    return {
      path: pathOf(names).slice(0, 2000),
      searchPath: searchPathOf(names),
      find: findText(names, value),
      length: typeof value === 'string' && isLong(value) ? value.length : undefined,
    }
  }

  json({ position }: Questions['json']['asks']): string {
    const value = this.#shown.valueAt(this.#at(position))
    try {
      return JSON.stringify(value, undefined, 2)
    } catch (error) {
      throw new Error('The value is nested too deeply to copy. Download the payload instead', { cause: error })
    }
  }

  lines({ position, columns }: Questions['lines']['asks']): { count: number } {
    const text =
      position === undefined ? new TextDecoder().decode(this.#bytes) : this.#shown.valueAt(this.#at(position))
    this.#lines = new Lines(String(text), columns)
    return { count: this.#lines.count }
  }

  slices({ from, count }: Questions['slices']['asks']): string[] {
    return this.#lines.slice(from, count)
  }

  bytes({ from, count }: Questions['bytes']['asks']): Uint8Array {
    return this.#bytes.slice(from, from + count)
  }

  compare({ bytes, form }: Questions['compare']['asks']): Questions['compare']['answers'] {
    const contents = contentsOf(new Uint8Array(bytes), form)
    if ('why' in contents) throw new Error(`The other delivery has no payload. ${contents.why}`)
    return compare(contents.value, this.#shown.root.value)
  }

  /** Opens the object that the delivery is about, unless it is large. */
  #openSubject(tree: Tree, value: Json): void {
    const name = subjectOf(value)
    const fold = name !== undefined && tree.open({ fold: tree.root, index: tree.root.keys?.indexOf(name) ?? 0 })
    if (fold && fold.size > maxAtFirst && fold.up) tree.close(fold.up)
  }

  /** Toggles a node. */
  #turn(place: Place): undefined {
    if (this.#shown.openedAt(place)) this.#shown.close(place)
    else this.#shown.open(place)
  }

  get #shown(): Tree {
    if (this.#tree) return this.#tree
    throw new Error('There is no payload in the body')
  }

  #at(position: number): Place {
    const place = this.#shown.locate(position)
    if (place) return place
    throw new Error('This row no longer exists')
  }
}
