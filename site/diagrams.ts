/** Draws the diagrams of the documents in the language of Mermaid, which GitHub draws itself, as pictures for the site. */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from '../test/browser/chromium.ts'
import { pages, writePage } from './stage.ts'

const themes = { light: 'default', dark: 'dark' } as const
const script = fileURLToPath(import.meta.resolve('@mermaid-js/tiny'))

type Theme = keyof typeof themes

function pathOf(diagram: string, theme: Theme): string {
  const hash = createHash('sha256').update(diagram.trim()).digest('hex').slice(0, 12)
  return `diagrams/${hash}-${theme}.svg`
}

/** The diagrams of a document. */
function diagramsIn(text: string): string[] {
  return [...text.matchAll(/^```mermaid\n(.*?)^```$/gms)].map(([, diagram = '']) => diagram)
}

/** The pictures of a diagram, as HTML. Its `accDescr` describes it to readers who do not see it. */
export function picturesOf(diagram: string): string {
  const [, description = ''] = /^ *accDescr: (.*)$/m.exec(diagram) ?? []
  const alt = description.replaceAll('"', '&quot;')
  const image = (theme: Theme) =>
    `<img class="${theme}-only" loading="lazy" src="/${pathOf(diagram, theme)}" alt="${alt}">`
  return `<p>${image('light')}${image('dark')}</p>\n`
}

/** Draws the diagrams of all pages in Chromium. Fails on a diagram with a syntax error. */
export async function drawDiagrams(): Promise<void> {
  const texts = globSync('**/*.md', { cwd: pages }).map((page) => readFileSync(join(pages, page), 'utf8'))
  const browser = await launch()
  try {
    const page = await browser.newPage()
    await page.addScriptTag({ path: script })
    for (const diagram of texts.flatMap(diagramsIn)) {
      if (!/^ *accDescr: /m.test(diagram)) throw new Error(`A diagram needs a line accDescr:\n${diagram}`)
      for (const [theme, name] of Object.entries(themes)) {
        // A picture cannot contain the HTML that Mermaid writes into labels by default, and has a width of its own.
        const size = { useMaxWidth: false }
        const text = { htmlLabels: false, fontFamily: 'sans-serif' }
        const options = { startOnLoad: false, theme: name, flowchart: size, state: size, ...text }
        const draw = `mermaid.initialize(${JSON.stringify(options)}), mermaid.render('d', ${JSON.stringify(diagram)})`
        const { svg } = (await page.evaluate(draw)) as { svg: string }
        writePage(join('public', pathOf(diagram, theme as Theme)), svg)
      }
    }
  } finally {
    await browser.close()
  }
}
