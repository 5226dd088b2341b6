/** How a typed text finds commands. */
import { nearest } from '../../src/runtime/nearest.ts'

interface Named {
  name: string
}

/** The commands that match a text, best first: those that contain it, then those with its characters in order. */
export function matching<Command extends Named>(typed: string, commands: readonly Command[]): Command[] {
  const text = typed.trim().toLowerCase()
  const ranked = commands.flatMap((command) => {
    const rank = rankOf(text, command.name.toLowerCase())
    return rank === undefined ? [] : [{ command, rank }]
  })
  return ranked.sort((a, b) => a.rank - b.rank).map(({ command }) => command)
}

/** The command whose name differs from a text by a few typing errors. */
export function nearestCommand<Command extends Named>(
  typed: string,
  commands: readonly Command[],
): Command | undefined {
  const text = typed.trim().toLowerCase()
  const names = commands.map(({ name }) => name.toLowerCase())
  const name = nearest(text, names, Math.max(2, Math.floor(text.length / 3)))
  return commands.find((command) => command.name.toLowerCase() === name)
}

/** Lower is better. `undefined`: the name does not have the characters of the text in order. */
function rankOf(text: string, name: string): number | undefined {
  const at = name.indexOf(text)
  if (at === 0) return 0
  if (at > 0) return /\w/.test(name[at - 1] ?? '') ? 2 : 1
  let place = -1
  let skipped = 0
  for (const character of text) {
    const next = name.indexOf(character, place + 1)
    if (next < 0) return undefined
    skipped += next - place - 1
    place = next
  }
  return 3 + skipped
}
