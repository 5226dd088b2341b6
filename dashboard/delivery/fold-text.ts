/** Lines and characters of a text that are shown at first. */
const maxLines = 12
const maxText = 1500

/** The beginning of a text, and the number of characters that are hidden. */
export function foldText(text: string): { text: string; left: number } {
  let end = 0
  for (let line = 0; line < maxLines; line++) {
    const newline = text.indexOf('\n', end)
    if (newline < 0) {
      end = text.length
      break
    }
    end = newline + 1
  }
  end = Math.min(end, maxText)
  // A short rest is not hidden, because the button that reveals the rest would take as much space.
  return text.length - end < 100 && end < maxText
    ? { text, left: 0 }
    : { text: text.slice(0, end), left: text.length - end }
}
