/**
 * The field in which texts of labs are written. In a file of its own, which is loaded with the first of them. It knows
 * nothing of labs.
 */

import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { deleteMarkupBackward, insertNewlineContinueMarkup, markdownLanguage } from '@codemirror/lang-markdown';
import { yamlLanguage } from '@codemirror/lang-yaml';
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { python } from '@codemirror/legacy-modes/mode/python';
import { shell } from '@codemirror/legacy-modes/mode/shell';
import { unifiedMergeView } from '@codemirror/merge';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, Prec, StateEffect, StateField, type Extension } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  type DecorationSet,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { whileStyledBySheets } from '../../../parts/terminal/sheets';
import type { Change } from './markup';

export interface Wish {
  text: string;
  /** The name of the file: by it words get their colours. */
  name: string;
  label: string;
  isReadOnly: boolean;
  /** What is written in it, in the language of the moment. */
  phrases: Readonly<Record<string, string>>;
  changed: (text: string) => void;
  /** Files were pasted or dropped; answers whether they are taken. */
  files: (files: readonly File[]) => boolean;
  save: () => void;
}

/** Changes that come from elsewhere: nobody typed them. */
const fromElsewhere = Annotation.define<boolean>();

/** Colours are the theme's own, so that they follow it. */
const colours = HighlightStyle.define([
  { tag: tags.heading, fontWeight: '650' },
  { tag: tags.strong, fontWeight: '650' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: [tags.link, tags.url], color: 'var(--accent)' },
  { tag: [tags.monospace, tags.string], color: 'var(--good)' },
  { tag: [tags.keyword, tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: [tags.number, tags.bool, tags.atom], color: 'var(--warn)' },
  { tag: [tags.comment, tags.quote, tags.processingInstruction, tags.meta], color: 'var(--muted)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]);

const looks = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--raised)', fontSize: 'var(--size-13)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--raised)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in oklch, var(--accent) 7%, transparent)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--warn-soft)' },
  '.cm-problem-error': { boxShadow: 'inset 3px 0 var(--bad)', backgroundColor: 'var(--bad-soft)' },
  '.cm-problem-warning': { boxShadow: 'inset 3px 0 var(--warn)', backgroundColor: 'var(--warn-soft)' },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)' },
  '.cm-panels button, .cm-panels input': { font: 'inherit' },
  '.cm-textfield': {
    border: '1px solid var(--edge)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
  },
  '.cm-button': {
    border: '1px solid var(--edge)',
    borderRadius: 'var(--radius)',
    backgroundImage: 'none',
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
  },
  '.cm-changedLine, .cm-inlineChangedLine': { backgroundColor: 'var(--good-soft) !important' },
  '.cm-changedText': { background: 'color-mix(in oklch, var(--good) 30%, transparent) !important' },
  '.cm-deletedChunk': { backgroundColor: 'var(--bad-soft) !important' },
  '.cm-chunkButtons button': {
    border: '1px solid var(--edge) !important',
    backgroundColor: 'var(--raised) !important',
    color: 'var(--text) !important',
    font: 'inherit',
  },
  '.cm-deletedText': { background: 'color-mix(in oklch, var(--bad) 30%, transparent) !important' },
});

interface Mark {
  line: number;
  isError: boolean;
}

const setMarks = StateEffect.define<readonly Mark[]>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(now, transaction) {
    let next = now.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setMarks)) continue;
      const { doc } = transaction.state;
      const lines = new Map<number, boolean>();
      for (const { line, isError } of effect.value) {
        if (line >= 1 && line <= doc.lines) lines.set(line, isError || lines.get(line) === true);
      }
      next = Decoration.set(
        [...lines]
          .sort(([a], [b]) => a - b)
          .map(([line, isError]) =>
            Decoration.line({ class: isError ? 'cm-problem-error' : 'cm-problem-warning' }).range(doc.line(line).from),
          ),
      );
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function languageOf(name: string): Extension {
  if (/\.(md|markdown)$/i.test(name)) {
    return [
      markdownLanguage,
      Prec.high(
        keymap.of([
          { key: 'Enter', run: insertNewlineContinueMarkup },
          { key: 'Backspace', run: deleteMarkupBackward },
        ]),
      ),
    ];
  }
  if (/\.ya?ml$/i.test(name)) return yamlLanguage;
  if (/\.py$/i.test(name)) return StreamLanguage.define(python);
  if (/\.(sh|bash)$/i.test(name)) return StreamLanguage.define(shell);
  return [];
}

export class TextEditor {
  readonly #view: EditorView;
  readonly #merging = new Compartment();
  readonly #writing = new Compartment();

  constructor(parent: HTMLElement, wish: Wish) {
    const state = EditorState.create({ doc: wish.text, extensions: this.#extensions(wish) });
    let view: EditorView | undefined;
    // Its styles go into constructed sheets: the page's policy refuses others.
    whileStyledBySheets(document, () => (view = new EditorView({ state, parent })));
    if (!view) throw new Error('a view was made just now');
    // What scrolls can be reached by keys.
    view.scrollDOM.tabIndex = 0;
    this.#view = view;
  }

  #extensions({ name, label, isReadOnly, phrases, changed, files, save }: Wish): Extension {
    const taken = (event: Event, data: DataTransfer | null) => {
      const all = [...(data?.files ?? [])];
      if (all.length === 0 || !files(all)) return false;
      event.preventDefault();
      return true;
    };
    return [
      lineNumbers(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      history(),
      indentOnInput(),
      bracketMatching(),
      search({ top: true }),
      highlightSelectionMatches(),
      languageOf(name),
      syntaxHighlighting(colours),
      looks,
      marks,
      EditorView.lineWrapping,
      EditorState.phrases.of(phrases),
      EditorView.contentAttributes.of({ 'aria-label': label, autocapitalize: 'off', spellcheck: 'false' }),
      this.#writing.of(EditorState.readOnly.of(isReadOnly)),
      this.#merging.of([]),
      keymap.of([
        {
          key: 'Mod-s',
          run: () => {
            save();
            return true;
          },
        },
        ...searchKeymap,
        ...historyKeymap,
        ...defaultKeymap,
        // Tab indents; Escape and then Tab leaves the field, and so does Ctrl-M.
        indentWithTab,
      ]),
      EditorView.domEventHandlers({
        paste: (event) => taken(event, event.clipboardData),
        drop: (event) => taken(event, event.dataTransfer),
      }),
      EditorView.updateListener.of((update) => {
        const isOurs = update.transactions.some((one) => one.annotation(fromElsewhere));
        if (update.docChanged && !isOurs) changed(update.state.doc.toString());
      }),
    ];
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  get chosen(): { from: number; to: number } {
    const { from, to } = this.#view.state.selection.main;
    return { from, to };
  }

  /** Takes another text that somebody else wrote; where one is in it stays, as far as it can. */
  take(text: string): void {
    const before = this.text;
    if (before === text) return;
    let start = 0;
    while (start < before.length && before[start] === text[start]) start += 1;
    let end = 0;
    const most = Math.min(before.length, text.length) - start;
    while (end < most && before[before.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    this.#view.dispatch({
      changes: { from: start, to: before.length - end, insert: text.slice(start, text.length - end) },
      annotations: fromElsewhere.of(true),
    });
  }

  /** Does a change, as if it was typed. */
  apply({ from, to, insert, mark }: Change): void {
    this.#view.dispatch({
      changes: { from, to, insert },
      selection: { anchor: mark.from, head: mark.to },
      scrollIntoView: true,
      userEvent: 'input',
    });
    this.#view.focus();
  }

  /** Takes a text as if all of it was typed: it can be undone. */
  replace(text: string): void {
    const { from } = this.chosen;
    const at = Math.min(from, text.length);
    this.#view.dispatch({ changes: { from: 0, to: this.text.length, insert: text }, selection: { anchor: at } });
  }

  /** Goes to a line, from 1. */
  reveal(line: number): void {
    const { doc } = this.#view.state;
    const { from } = doc.line(Math.min(Math.max(1, line), doc.lines));
    this.#view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    this.#view.focus();
  }

  mark(problems: readonly Mark[]): void {
    this.#view.dispatch({ effects: setMarks.of(problems) });
  }

  /** Shows how the text differs from another, each difference to be taken or not; or no more. */
  compare(other: string | undefined): void {
    const view = other === undefined ? [] : unifiedMergeView({ original: other, mergeControls: true });
    this.#view.dispatch({ effects: this.#merging.reconfigure(view) });
  }

  focus(): void {
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }
}
