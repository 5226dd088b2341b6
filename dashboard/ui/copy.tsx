import { Icon } from './icon.tsx'
import { showError, showMessage } from './toast.tsx'

/** Copies a text to the clipboard, and shows a message. @param what Such as "the path". */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    showMessage(`Copied ${what}`)
  } catch (error) {
    showError(new Error(`The browser could not copy ${what}: ${(error as Error).message}`))
  }
}

export function CopyButton({ text, what }: { text: () => string | Promise<string>; what: string }) {
  const onClick = async () => {
    try {
      await copy(await text(), what)
    } catch (error) {
      showError(error)
    }
  }
  return (
    <button
      type="button"
      class="button plain slim"
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={onClick}
    >
      <Icon name="copy" />
    </button>
  )
}
