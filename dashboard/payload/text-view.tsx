import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { plain } from '../ui/text.ts'
import { showError } from '../ui/toast.tsx'
import type { Reader } from './reader.ts'
import { textHeight, VirtualList } from './virtual-list.tsx'

/** A body as text, or a text in it, in slices of the available width. */
export function TextView({ reader, position, label }: { reader: Reader; position?: number; label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const ruler = useRef<HTMLSpanElement>(null)
  const [columns, setColumns] = useState(0)
  const [count, setCount] = useState<number>()
  useLayoutEffect(() => {
    const measure = () => {
      const letter = (ruler.current?.getBoundingClientRect().width ?? 80) / 10
      setColumns(Math.max(20, Math.floor(((box.current?.clientWidth ?? 640) - 24) / letter)))
    }
    const observer = new ResizeObserver(measure)
    observer.observe(box.current as HTMLDivElement)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    if (columns === 0) return
    const asks = position === undefined ? { columns } : { columns, position }
    reader.ask('lines', asks).then((answer) => setCount(answer.count), showError)
  }, [columns, position])
  return (
    <div class="text-view" ref={box}>
      <span class="ruler mono" ref={ruler} aria-hidden="true">
        0123456789
      </span>
      {count !== undefined && (
        <VirtualList
          label={label}
          class="raw"
          count={count}
          version={`${columns} ${count}`}
          load={(from, some) => reader.ask('slices', { from, count: some })}
        >
          {(slice: string, at) => (
            <div key={at} class="slice mono foreign" style={{ height: `${textHeight}px` }}>
              {plain(slice, 2000)}
            </div>
          )}
        </VirtualList>
      )}
    </div>
  )
}
