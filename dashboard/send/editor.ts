/**
 * The payload editor, loaded on first use. In a shadow root, CodeMirror uses a constructed stylesheet, which the
 * Content-Security-Policy allows. Elsewhere it would insert a style element, which the policy forbids.
 */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json, jsonParseLinter } from '@codemirror/lang-json'
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { linter, lintGutter } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'

/** Errors are marked in texts with fewer characters than this. Checking a longer text would slow down typing. */
const maxLinted = 1_000_000

export interface Editor {
  text: () => string
  replace: (text: string) => void
  focus: () => void
  destroy: () => void
}

export function openEditor(host: HTMLElement, text: string): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const view = new EditorView({ root, parent: root, state: stateOf(text) })
  return {
    text: () => view.state.doc.toString(),
    replace: (other) => view.setState(stateOf(other)),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  }
}

const stateOf = (doc: string): EditorState =>
  EditorState.create({
    doc,
    extensions: [
      lineNumbers(),
      foldGutter(),
      history(),
      drawSelection(),
      bracketMatching(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      json(),
      syntaxHighlighting(colors),
      doc.length < maxLinted ? [linter(jsonParseLinter()), lintGutter()] : [],
      // Without a binding for Tab, which must leave the editor (WCAG 2.2, 2.1.2).
      keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap, ...searchKeymap]),
      EditorView.contentAttributes.of({ 'aria-label': 'Payload, as JSON', tabindex: '0' }),
      look,
    ],
  })

const colors = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
])

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--bg)', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-gutters': { color: 'var(--text-soft)', backgroundColor: 'var(--bg-sunken)', borderColor: 'var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    backgroundColor: 'var(--bg-chosen)',
  },
  '.cm-panels': { color: 'var(--text)', backgroundColor: 'var(--bg-sunken)', borderColor: 'var(--line)' },
  '.cm-textfield, .cm-button': {
    color: 'var(--text)',
    backgroundColor: 'var(--bg)',
    backgroundImage: 'none',
    border: '1px solid var(--line-strong)',
  },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--bg-raised)', borderColor: 'var(--line)' },
  '.cm-foldPlaceholder': { color: 'var(--text-soft)', backgroundColor: 'var(--bg-sunken)', borderColor: 'var(--line)' },
})
