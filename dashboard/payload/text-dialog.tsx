import { Dialog } from '../ui/dialog.tsx'
import type { Reader } from './reader.ts'
import { TextView } from './text-view.tsx'

/** Shows a long text of a payload in full. */
export function TextDialog(props: { title: string; reader: Reader; position: number; onClose: () => void }) {
  const { title, reader, position, onClose } = props
  return (
    <Dialog title={title} wide onClose={onClose}>
      <div class="body">
        <TextView reader={reader} position={position} label="The text" />
      </div>
    </Dialog>
  )
}
