/** A body that has arrived completely. */
export interface ReceivedBody {
  bytes: Uint8Array
  /**
   * Frees the memory into which the chunks of the body were copied. The garbage collector would free this memory later,
   * and until then the memory of several large bodies could accumulate.
   */
  free(): void
}

/** Bytes of a segment. */
const segmentSize = 256 * 1024

const none = new Uint8Array()

/**
 * The bytes of a body while it arrives. A single chunk is not copied. If there are several chunks, this class copies
 * them, so that the connection can free them. It copies them into segments: a buffer that doubles would take up to
 * twice as much memory, and three times as much while it grows. Once a quarter of the announced size has arrived, one
 * segment of that size replaces the others. Before that, the announced size does not count, because it may be wrong.
 */
export class BodyBuffer {
  /** All segments are full, except the last one. */
  #segments: Uint8Array[] = []
  /** Whether the segments are memory of this class: not before the second chunk. */
  #owned = false
  /** Bytes of all segments. */
  #capacity = 0
  readonly #announced: number
  /** Bytes that have arrived. */
  size = 0

  /** @param announced From `Content-Length`. */
  constructor(announced: number | undefined) {
    this.#announced = announced ?? 0
  }

  append(chunk: Uint8Array): void {
    if (this.size === 0) {
      this.#segments = [chunk]
      this.#capacity = chunk.length
    } else this.#copy(chunk)
    this.size += chunk.length
  }

  /** Hands over the bytes: the stream may keep this buffer, by its listeners, for as long as the connection is open. */
  take(): ReceivedBody {
    if (this.#segments.length > 1) this.#join(this.size)
    const [segment = none] = this.#segments
    const memory = this.#owned ? segment.buffer : undefined
    const bytes = segment.length === this.size ? segment : segment.subarray(0, this.size)
    this.#clear()
    return { bytes, free: () => memory && free(memory) }
  }

  /** Frees the bytes of a body that failed. */
  discard(): void {
    if (this.#owned) for (const { buffer } of this.#segments) free(buffer)
    this.#clear()
  }

  #clear(): void {
    this.#segments = []
    this.size = 0
  }

  #copy(chunk: Uint8Array): void {
    const size = this.size + chunk.length
    if (size > this.#capacity && size <= this.#announced && this.#announced <= 4 * size) this.#join(this.#announced)
    else if (!this.#owned) this.#join(Math.max(size, Math.min(2 * size, segmentSize)))
    for (let copied = 0; copied < chunk.length; ) {
      const filled = this.size + copied
      if (filled === this.#capacity) this.#add(segmentSize)
      const segment = this.#segments.at(-1) as Uint8Array
      const part = chunk.subarray(copied, copied + this.#capacity - filled)
      segment.set(part, segment.length - (this.#capacity - filled))
      copied += part.length
    }
  }

  #add(size: number): void {
    this.#segments.push(new Uint8Array(size))
    this.#capacity += size
  }

  /** Replaces all segments by one. Frees each of them when it is copied, so that no byte is in memory twice for long. */
  #join(capacity: number): void {
    const joined = new Uint8Array(capacity)
    let copied = 0
    for (const segment of this.#segments) {
      const part = segment.subarray(0, this.size - copied)
      joined.set(part, copied)
      copied += part.length
      if (this.#owned) free(segment.buffer)
    }
    this.#segments = [joined]
    this.#capacity = capacity
    this.#owned = true
  }
}

function free(memory: ArrayBufferLike): void {
  const { detached, transfer } = memory as ArrayBuffer
  if (!detached) transfer.call(memory, 0)
}
