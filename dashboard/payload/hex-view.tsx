import { hexRow } from './hex.ts'
import type { Reader } from './reader.ts'
import { textHeight, VirtualList } from './virtual-list.tsx'

/** Bytes per row, fewer on a phone. */
const width = matchMedia('(max-width: 640px)').matches ? 8 : 16

/** The bytes of the body. */
export function HexView({ reader, size }: { reader: Reader; size: number }) {
  const load = async (from: number, count: number) => {
    const bytes = await reader.ask('bytes', { from: from * width, count: count * width })
    return Array.from({ length: Math.ceil(bytes.length / width) }, (_, row) =>
      hexRow(bytes.subarray(row * width, (row + 1) * width), (from + row) * width, width),
    )
  }
  return (
    <VirtualList label="Bytes" class="raw" count={Math.ceil(size / width)} version={size} load={load}>
      {({ offset, digits, text }, at) => (
        <div key={at} class="bytes mono" style={{ height: `${textHeight}px` }}>
          <span class="soft">{offset}</span>
          <span>{digits}</span>
          <span class="printed">{text}</span>
        </div>
      )}
    </VirtualList>
  )
}
