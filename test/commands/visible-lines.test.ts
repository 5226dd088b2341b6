// cspell:disable: some words have look-alike letters
import { describe, expect, test } from 'vitest'
import { possibleNames } from '../../src/commands/comment.ts'
import { visibleCommandLines } from '../../src/commands/visible-lines.ts'

describe('a line is a command', () => {
  test.each([
    ['alone', '/deploy prod', ['/deploy prod']],
    ['between other lines', 'Hello\r\n/deploy prod\r\nthank you', ['/deploy prod']],
    ['after spaces', '   /deploy prod  ', ['/deploy prod']],
    ['as one of several', '/build\n/deploy prod\n\n/merge', ['/build', '/deploy prod', '/merge']],
    ['after a quote', '> /deploy stage\n\n/deploy prod', ['/deploy prod']],
    ['after a closed element', '<details>\n\n/deploy stage\n\n</details>\n\n/deploy prod', ['/deploy prod']],
    ['after a comment', '<!-- /deploy stage -->\n/deploy prod\n', ['/deploy prod']],
    [
      'without the marks of Markdown',
      '/deploy **prod** `v1_a` [x](y) <https://a.example>',
      ['/deploy prod v1_a x https://a.example'],
    ],
    ['without comments', '/deploy prod <!-- v2 -->', ['/deploy prod']],
    ['with entities as characters', '/deploy a&amp;b', ['/deploy a&b']],
    [
      'with emoji',
      '/say 1\uFE0F\u20E3 \u2764\uFE0F \u{1F468}\u200D\u{1F4BB} \u{1F44D}\u{1F3FD}',
      ['/say 1\uFE0F\u20E3 \u2764\uFE0F \u{1F468}\u200D\u{1F4BB} \u{1F44D}\u{1F3FD}'],
    ],
    ['after a tilde that has no pair', '~/notes\n/deploy prod', ['/deploy prod']],
    ['with a tilde', '/deploy ~/a ~/b', ['/deploy ~/a ~/b']],
    ['after a comparison', 'a < b, a &lt;b\n/deploy prod', ['/deploy prod']],
    ['with an expression in brackets', '/search [^a-z]', ['/search [^a-z]']],
    ['after a footnote', '[^1]: a\n\n/deploy prod', ['/deploy prod']],
    ['after a heading of a quote', '> # a\n/deploy prod', ['/deploy prod']],
    ['after a quote with a link definition', '> [a]: b\n\n/deploy prod', ['/deploy prod']],
    ['after a link definition', '[a]: b\n/deploy prod', ['/deploy prod']],
    ['after an image and HTML', '![x](y) <kbd>a</kbd> <br> b\n\n/deploy prod', ['/deploy prod']],
  ])('%s', (_name, body, expected) => {
    expect(visibleCommandLines(body)).toEqual(expected)
  })
})

describe('a line is no command', () => {
  test.each([
    ['in a quote', '> /deploy prod'],
    ['in a quote that continues', '> I say\n/deploy prod'],
    ['in nested quotes', '> > > /deploy prod'],
    ['in a fenced block', '```\n/deploy prod\n```'],
    ['in a fenced block without end', '~~~sh\n\n/deploy prod'],
    ['in an indented block', 'Run\n\n    /deploy prod'],
    ['in inline code', '`a\n/deploy prod\n`'],
    ['in inline code alone', '`/deploy prod`'],
    ['in a list', '- /deploy prod'],
    ['in a list that continues', '1. Run\n/deploy prod'],
    ['in a heading', '/deploy prod\n==='],
    ['in a table', '| a |\n|---|\n/deploy prod'],
    ['in bold text', '**/deploy prod**'],
    ['in bold text that continues', '**a\n/deploy prod**'],
    ['in a link', '[a\n/deploy prod](b)'],
    ['struck through', '~~/deploy prod~~'],
    ['struck through over lines', '~~a\n/deploy prod\nb~~'],
    ['struck through by one tilde', '~a\n/deploy prod\nb~'],
    ['in a formula', '$$\n/deploy prod\n$$'],
    ['in a footnote', '[^1]: a\n/deploy prod'],
    ['in a footnote with one word', '[^1]: a\n  /deploy prod'],
    ['in what other sites show as a footnote', '> see ^[/deploy prod]\n\n```\n/deploy stage\n```'],
    ['with a reference to a footnote', '/deploy prod[^1]\n\n[^1]: a'],
    ['after an element of a footnote that is open', '[^1]: a <details>\n\n/deploy prod'],
    ['in the title of a link definition', '[a]: b "\n/deploy prod\n"'],
    ['after a link definition in a quote', '> [a]: b\n/deploy prod'],
    ['after a link definition in a list', '- [a]: b\n/deploy prod'],
    ['after a link definition in a numbered list', '1. [a]: b\r\n/deploy prod'],
    ['after a link definition in a footnote', '[^1]: [a]: b\n/deploy prod'],
    ['after several link definitions in a quote', '> [a]: b\n[c]: d\n/deploy prod'],
    ['after a link definition that continues outside of a quote', '> [a]:\n/build\n/deploy prod'],
    ['in the header of a table', '/deploy | prod\n--|--'],
    ['in the header of a table with one column', '/deploy prod\n|---|'],
    ['in the header of a table without vertical bars', '/deploy prod\n:-:'],
    ['in a table after other lines', 'a\nb\n | :--- \n/deploy prod'],
    ['in a comment', '<!--\n\n/deploy prod\n\n-->'],
    ['in a comment of a line', 'a <!--\n/deploy prod\n--> b'],
    ['in a comment that begins in an element', '<div><!--\n\n/deploy prod\n\n-->'],
    ['in an attribute', '<div title="\n\n/deploy prod\n\n">'],
    ['in a closed element', '<details>\n\n/deploy prod\n\n</details>'],
    ['in an element of a line', 'a <del>\n/deploy prod\n</del>'],
    ['after an element of a paragraph that is open', 'a <details>\n\n/deploy prod'],
    ['after an element of a quote that is open', '> <details>\n\n/deploy prod'],
    ['after an end tag that a browser ignores', '<details>\n\n| a |\n|-|\n| </details> |\n\n/deploy prod'],
    ['after a comment that ends early', '<!--> <details> -->\n\n/deploy prod'],
    ['after a comment that ends otherwise', '<!-- --!> <details> -->\n\n/deploy prod'],
    ['after an element that hides tags', '<xmp><!--</xmp><details>--></xmp>\n\n/deploy prod'],
    ['after a tag that older versions of CommonMark know', '<source\n/deploy prod\n>'],
    ['with a comment that older versions of CommonMark show', '/deploy prod <!-- a -- b -->'],
    ['after wrong nesting', '<details><b></details></b>\n\n/deploy prod'],
    ['with an escaped slash', '\\/deploy prod'],
    ['with an encoded slash', '&#47;deploy prod'],
    ['with HTML', '/deploy <b>prod</b>'],
    ['with an image', '/deploy ![prod](x)'],
    ['with struck-through text', '/deploy ~~prod~~ stage'],
    ['after a mention', '@other-bot /deploy prod'],
    ['after a zero-width space', '\u200B/deploy prod'],
    ['with a zero-width space', '/deploy\u200B prod'],
    ['with a zero-width joiner', '/deploy prod\u200D'],
    ['with another direction', '/deploy \u202Edorp\u202C'],
    ['with an isolate', '/deploy \u2067prod\u2069'],
    ['with a filler', '/deploy prod\u3164'],
    ['with a variation selector', '/deploy prod\uFE0F'],
    ['with a control character', '/deploy prod\u0007'],
    ['with another slash', '\u2215deploy prod'],
  ])('%s', (_name, body) => {
    expect(visibleCommandLines(body)).toEqual([])
  })
})

test('names are compared without case, and only letters of ASCII are equal', () => {
  const names = (body: string) => [...possibleNames(body).keys()]
  expect(names('/Deploy prod\n\n/DEPLOY')).toEqual(['/deploy'])
  expect(names('/dеploy\n/\u212Aill\n/\u017Ftop\n/deploy/x\n/deploy.\n/usr/bin\nx /deploy')).toEqual([])
  expect(names(`/${'a'.repeat(60)}`)).toEqual([])
})

function numbered(text: string, count: number): string {
  return Array.from({ length: count }, (_, index) => text.replace('$', String(index))).join('')
}

/** Each of them has a command in its last line, so that the comment is parsed. */
const hostile: Record<string, string> = {
  'open brackets': '['.repeat(65_000),
  'open images': '![['.repeat(20_000),
  'open links': '[a]('.repeat(16_000),
  emphasis: '*a_ '.repeat(16_000),
  stars: '*a **a '.repeat(9000),
  tildes: '~a\n'.repeat(20_000),
  backticks: Array.from({ length: 350 }, (_, index) => '`'.repeat(index)).join(' '),
  'nested quotes': `${'> '.repeat(300)}\n${'/deploy a\n'.repeat(6000)}`,
  'a deep quote': '>'.repeat(65_000),
  'nested lists': Array.from({ length: 360 }, (_, index) => `${' '.repeat(index)}- a`).join('\n'),
  'open comments': '<!--'.repeat(16_000),
  'open tags': '<a '.repeat(20_000),
  'open attributes': `<a ${'b '.repeat(30_000)}`,
  'open quotation marks': '<b a="'.repeat(10_000),
  elements: '<b>'.repeat(20_000),
  'link definitions': '[a]: x\n'.repeat(9000),
  footnotes: '[^1]: '.repeat(10_000),
  'inline footnotes': '^['.repeat(30_000),
  'closed inline footnotes': '^[a]'.repeat(16_000),
  'references to one footnote': `[^1]: a\n\n${'[^1]'.repeat(16_000)}`,
  'references to many footnotes': `${numbered('[^$]', 4500)}\n\n${numbered('[^$]:a\n', 4500)}`,
  'open references': `[^1]: a\n\n${'[^'.repeat(32_000)}`,
  'spaces and dashes': `a\n${' '.repeat(30_000)}${'-'.repeat(30_000)} b`,
  'a long table': `|a|\n|-|\n${'|\n'.repeat(30_000)}`,
  commands: '/deploy a\n'.repeat(10_000),
  entities: '&'.repeat(65_000),
}

describe('a hostile comment', () => {
  // With a quadratic algorithm, most of these tests exceed their time limit.
  test.each(Object.entries(hostile))('does not stall the process: %s', (_name, body) => {
    expect(['/deploy prod', undefined]).toContain(visibleCommandLines(`${body}\n\n/deploy prod`).at(-1))
  })
})
