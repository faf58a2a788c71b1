/** A terminal's screen in the page: xterm with what belongs to it. Knows nothing of connections. */

import type { ITheme, Terminal } from '@xterm/xterm';
import type { SearchAddon } from '@xterm/addon-search';
import type { SerializeAddon } from '@xterm/addon-serialize';
import { words } from '../../lib/i18n.svelte';
import { terminals } from '../../messages/terminals';
import type { Screen } from './link';
import { fontFor, room, type Cell, type Grid } from './fit';
import { actionOf, isMac, type KeyAction } from './keys';
import { isReply, plainTitle } from './replies';
import { styledBySheets, whileStyledBySheets } from './sheets';

export interface ScreenOptions {
  /** The font that is wanted; a smaller one is taken where the terminal would not fit. */
  font: number;
  theme: ITheme;
  /** Its text is also there for screen readers. */
  isReadable: boolean;
}

export interface ScreenEvents {
  typed(bytes: Uint8Array): void;
  /** The screen answers a program by itself. */
  replied(bytes: Uint8Array): void;
  title(text: string): void;
  /** Somebody pressed an address; `url` is http or https. */
  link(url: string): void;
  action(action: Exclude<KeyAction, 'type'>): void;
  /** There is room for so many cells. */
  room(grid: Grid): void;
  found(at: number, count: number): void;
}

const SCROLLBACK = 5_000;
const SCROLLBAR = 10;
/** By it a program would write into the clipboard. */
const CLIPBOARD_OSC = 52;

/** Draws a terminal into an element. */
export async function draw(place: HTMLElement, options: ScreenOptions, events: ScreenEvents): Promise<XtermScreen> {
  const [{ Terminal }, { SearchAddon }, { SerializeAddon }, { Unicode11Addon }, { WebLinksAddon }] = await Promise.all([
    import('@xterm/xterm'),
    import('@xterm/addon-search'),
    import('@xterm/addon-serialize'),
    import('@xterm/addon-unicode11'),
    import('@xterm/addon-web-links'),
    import('@xterm/xterm/css/xterm.css'),
  ]);
  const follow = (event: MouseEvent, url: string) => {
    event.preventDefault();
    if (/^https?:\/\//i.test(url)) events.link(url);
  };
  Terminal.strings.promptLabel = words(terminals)('input');
  const terminal = new Terminal({
    allowProposedApi: true,
    documentOverride: styledBySheets(document),
    fontFamily: getComputedStyle(place).getPropertyValue('--mono').trim() || 'monospace',
    fontSize: options.font,
    theme: options.theme,
    screenReaderMode: options.isReadable,
    scrollback: SCROLLBACK,
    overviewRuler: { width: SCROLLBAR },
    macOptionIsMeta: true,
    linkHandler: { activate: follow, allowNonHttpProtocols: false },
  });
  const search = new SearchAddon({ highlightLimit: 2_000 });
  const serialize = new SerializeAddon();
  for (const addon of [search, serialize, new Unicode11Addon(), new WebLinksAddon(follow)]) terminal.loadAddon(addon);
  terminal.unicode.activeVersion = '11';
  terminal.parser.registerOscHandler(CLIPBOARD_OSC, () => true);
  whileStyledBySheets(document, () => terminal.open(place));
  const screen = new XtermScreen(terminal, search, serialize, place, options, events);
  await screen.speedUp();
  return screen;
}

export class XtermScreen implements Screen {
  readonly #terminal: Terminal;
  readonly #search: SearchAddon;
  readonly #serialize: SerializeAddon;
  readonly #place: HTMLElement;
  readonly #events: ScreenEvents;
  readonly #watch: ResizeObserver;
  #font: number;
  /** A cell with the wanted font, measured when it was last drawn with it: cells do not grow evenly. */
  #wanted: Cell | null = null;
  #isTaking = false;
  #isGone = false;

  constructor(
    terminal: Terminal,
    search: SearchAddon,
    serialize: SerializeAddon,
    place: HTMLElement,
    options: ScreenOptions,
    events: ScreenEvents,
  ) {
    this.#terminal = terminal;
    this.#search = search;
    this.#serialize = serialize;
    this.#place = place;
    this.#events = events;
    this.#font = options.font;
    this.#watch = new ResizeObserver(() => this.#measure());
    this.#watch.observe(place);
    this.#listen();
  }

  #listen(): void {
    const encoder = new TextEncoder();
    const mac = isMac(navigator.platform);
    this.#terminal.onData((data) => {
      const bytes = encoder.encode(data);
      if (isReply(data)) this.#events.replied(bytes);
      else this.#events.typed(bytes);
    });
    this.#terminal.onBinary((data) => this.#events.typed(Uint8Array.from(data, (letter) => letter.charCodeAt(0))));
    this.#terminal.onTitleChange((title) => this.#events.title(plainTitle(title)));
    this.#search.onDidChangeResults(({ resultIndex, resultCount }) => this.#events.found(resultIndex + 1, resultCount));
    this.#terminal.attachCustomKeyEventHandler((event) => {
      if (event.type !== 'keydown') return true;
      const action = actionOf(event, this.#terminal.hasSelection(), mac);
      if (action === 'type') return true;
      // The browser pastes by itself; everything else is done here.
      if (action !== 'paste') event.preventDefault();
      this.#events.action(action);
      return false;
    });
  }

  /** Draws by the graphics card where there is one. */
  async speedUp(): Promise<void> {
    try {
      const { WebglAddon } = await import('@xterm/addon-webgl');
      if (this.#isGone) return;
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      this.#terminal.loadAddon(webgl);
    } catch {
      // Without one it is drawn by elements.
    }
  }

  write(data: Uint8Array | string, drawn: () => void): void {
    this.#terminal.write(data, drawn);
  }

  /** In the order of what is written, as `resize` is. */
  clear(): void {
    this.#terminal.write('\x1bc');
  }

  resize(columns: number, rows: number): void {
    this.#terminal.write('', () => {
      if (this.#isGone) return;
      if (columns !== this.#terminal.cols || rows !== this.#terminal.rows) this.#terminal.resize(columns, rows);
      this.#scale();
    });
  }

  /** How many cells there is room for with the wanted font. */
  get room(): Grid | null {
    const cell = this.#cell;
    if (cell.font === this.#font && cell.width > 0) this.#wanted = cell;
    return room(this.#box, this.#wanted ?? cell, this.#font);
  }

  get #box() {
    const style = getComputedStyle(this.#place);
    const across = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
    const down = Number.parseFloat(style.paddingTop) + Number.parseFloat(style.paddingBottom);
    return { width: this.#place.clientWidth - across - SCROLLBAR, height: this.#place.clientHeight - down };
  }

  get #cell(): Cell {
    const screen = this.#place.querySelector<HTMLElement>('.xterm-screen');
    const { cols, rows, options } = this.#terminal;
    const font = options.fontSize ?? this.#font;
    if (!screen) return { width: 0, height: 0, font };
    return { width: screen.offsetWidth / cols, height: screen.offsetHeight / rows, font };
  }

  #measure(): void {
    const grid = this.room;
    if (!grid || this.#isGone) return;
    this.#events.room(grid);
    // Whoever drives is followed by the size, so nothing has to shrink.
    if (!this.#isTaking) this.#scale();
  }

  /** Takes the largest font with which the whole terminal can be seen. */
  #scale(): void {
    const { cols: columns, rows } = this.#terminal;
    const font = fontFor(this.#box, this.#cell, { columns, rows }, this.#font);
    if (font !== this.#terminal.options.fontSize) this.#terminal.options.fontSize = font;
  }

  set({ font, theme, isReadable }: ScreenOptions): void {
    this.#terminal.options.theme = theme;
    this.#terminal.options.screenReaderMode = isReadable;
    if (font === this.#font) return;
    this.#font = font;
    this.#wanted = null;
    this.#terminal.options.fontSize = font;
    this.#measure();
  }

  /** Whether keys are taken at all; who looks only has no cursor that blinks at them. */
  set isTaking(is: boolean) {
    this.#isTaking = is;
    this.#terminal.options.cursorBlink = is;
    this.#terminal.options.cursorInactiveStyle = is ? 'outline' : 'none';
  }

  focus(): void {
    this.#terminal.focus();
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  deselect(): void {
    this.#terminal.clearSelection();
  }

  /** Looks for a text; its next place, or the one before. */
  find(text: string, direction: 1 | -1, colours: { all: string; one: string }, isFirst: boolean): void {
    if (text === '') return this.#search.clearDecorations();
    const decorations = {
      matchBackground: colours.all,
      activeMatchBackground: colours.one,
      matchOverviewRuler: colours.all,
      activeMatchColorOverviewRuler: colours.one,
    };
    if (direction > 0) this.#search.findNext(text, { decorations, incremental: isFirst });
    else this.#search.findPrevious(text, { decorations });
  }

  stopFinding(): void {
    this.#search.clearDecorations();
    this.#terminal.clearSelection();
  }

  /** All that it shows and that was scrolled away, as text. */
  get text(): string {
    const buffer = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let at = 0; at < buffer.length; at += 1) {
      const line = buffer.getLine(at);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return `${lines.join('\n').trimEnd()}\n`;
  }

  /** Whether no program has the whole screen: then it can be kept without loss. */
  get isPlain(): boolean {
    return this.#terminal.buffer.active.type === 'normal';
  }

  /** What brings it back when it is written into an empty one of its size. */
  kept(): { data: string; columns: number; rows: number } {
    return { data: this.#serialize.serialize(), columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  dispose(): void {
    this.#isGone = true;
    this.#watch.disconnect();
    this.#terminal.dispose();
  }
}
