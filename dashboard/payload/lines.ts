/** Divides a text into slices that fit a width, and finds each slice in constant time. */
export class Lines {
  readonly #text: string
  /** The start of each slice. */
  readonly #starts: Uint32Array

  /** @param columns Characters per slice. */
  constructor(text: string, columns: number) {
    this.#text = text
    let starts = new Uint32Array(1024)
    let count = 0
    const begin = (at: number) => {
      if (count === starts.length) {
        const larger = new Uint32Array(2 * count)
        larger.set(starts)
        starts = larger
      }
      starts[count++] = at
    }
    for (let line = 0; line <= text.length; ) {
      const newline = text.indexOf('\n', line)
      const end = newline < 0 ? text.length : newline
      begin(line)
      for (let at = line + columns; at < end; at += columns) {
        if (isLow(text.charCodeAt(at))) at -= 1 // do not separate surrogate pairs
        begin(at)
      }
      line = end + 1
    }
    this.#starts = starts.subarray(0, count)
  }

  get count(): number {
    return this.#starts.length
  }

  slice(from: number, count: number): string[] {
    const starts = [...this.#starts.subarray(from, from + count)]
    return starts.map((start, index) => {
      const end = this.#starts[from + index + 1] ?? this.#text.length
      return this.#text.slice(start, end).replace(/\r?\n$/, '')
    })
  }
}

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff
