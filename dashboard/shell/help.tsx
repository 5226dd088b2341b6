import { Dialog } from '../ui/dialog.tsx'
import { keys } from '../ui/keys.ts'
import { shortcuts } from '../ui/preferences.ts'

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <div class="body">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Action</th>
            </tr>
          </thead>
          <tbody>
            {keys.map(([key, does]) => (
              <tr key={key}>
                <td>
                  <kbd>{key}</kbd>
                </td>
                <td>{does}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p>
          <label>
            <input
              type="checkbox"
              checked={shortcuts.value}
              onChange={({ currentTarget }) => (shortcuts.value = currentTarget.checked)}
            />{' '}
            Enable single-key shortcuts
          </label>
        </p>
      </div>
    </Dialog>
  )
}
