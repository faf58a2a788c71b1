/** One window on a terminal: its connection and its screen, as the components around it see them. */

import { untrack } from 'svelte';
import { colour, settings } from '../../lib/settings.svelte';
import { openSocket, type TerminalRecord } from './api';
import { themeOf } from './colours';
import type { KeyAction } from './keys';
import { TerminalLink, type LinkState } from './link';
import { preferences } from './preferences.svelte';
import { draw, type ScreenOptions, type XtermScreen } from './screen';

interface KeptScreen {
  data: string;
  columns: number;
  rows: number;
  offset: number;
}

/** What windows showed that were left: whoever comes back finds it there, with all that was scrolled away. */
const kept = new Map<string, KeptScreen>();
const MOST_KEPT = 8;
const COMPLAINT_MS = 4_000;

export class TerminalWindow {
  readonly id: string;
  state = $state.raw<LinkState | null>(null);
  record = $state.raw<TerminalRecord | null>(null);
  /** What the program calls itself. */
  title = $state('');
  /** An address that was pressed and is not yet opened. */
  link = $state<string | null>(null);
  isFinding = $state(false);
  found = $state.raw({ at: 0, count: 0 });
  /** Why the server did not do something, for a while. */
  complaint = $state<{ code: string; message: string } | null>(null);
  /** The screen could not be loaded. */
  isBroken = $state(false);
  #screen: XtermScreen | null = null;
  #connection: TerminalLink | null = null;
  #complaintTimer: ReturnType<typeof setTimeout> | undefined;
  #isShown = true;
  #leave: () => void = () => {};

  constructor(id: string) {
    this.id = id;
  }

  /**
   * Draws it into an element and connects; answers how to end that. `leave` is where the focus goes by Ctrl-F6; with
   * `isWanted` the terminal takes it once it is there.
   */
  show(place: HTMLElement, leave: () => void, isWanted = false): () => void {
    this.#leave = leave;
    let isGone = false;
    void this.#begin(place, () => isGone, isWanted);
    const seen = () => this.#look();
    const online = () => this.#connection?.hurry();
    document.addEventListener('visibilitychange', seen);
    addEventListener('online', online);
    return () => {
      isGone = true;
      document.removeEventListener('visibilitychange', seen);
      removeEventListener('online', online);
      clearTimeout(this.#complaintTimer);
      this.#keep();
      this.#connection?.close();
      this.#screen?.dispose();
      this.#screen = this.#connection = null;
    };
  }

  /** Its tab is the open one, or another. */
  seen(is: boolean): void {
    this.#isShown = is;
    this.#look();
  }

  #look(): void {
    this.#connection?.show(this.#isShown && document.visibilityState === 'visible');
  }

  async #begin(place: HTMLElement, isGone: () => boolean, isWanted: boolean): Promise<void> {
    let screen: XtermScreen;
    try {
      screen = await draw(place, untrack(looks), this.#events());
    } catch {
      this.isBroken = true;
      return;
    }
    if (isGone()) return screen.dispose();
    this.#screen = screen;
    const before = kept.get(this.id);
    kept.delete(this.id);
    if (before) {
      screen.resize(before.columns, before.rows);
      screen.write(before.data, () => {});
    }
    const room = screen.room ?? { columns: 80, rows: 24 };
    const link = new TerminalLink(this.#ports(screen), room, before?.offset ?? null);
    this.#connection = link;
    this.state = link.state;
    this.#look();
    link.open();
    if (isWanted && this.#isShown) screen.focus();
  }

  #ports(screen: XtermScreen): ConstructorParameters<typeof TerminalLink>[0] {
    return {
      connect: (events) => openSocket(this.id, events, (record) => (this.record = record)),
      screen,
      changed: () => {
        const state = this.#connection?.state;
        if (!state) return;
        this.state = state;
        screen.isTaking = state.phase === 'open' && state.role === 'driver';
      },
      complained: (code, message) => this.#complain(code, message),
      setTimer: (ms, action) => setTimeout(action, ms),
      clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
      now: () => Date.now(),
      random: () => Math.random(),
    };
  }

  #events(): Parameters<typeof draw>[2] {
    return {
      typed: (bytes) => {
        if (this.#connection?.type(bytes)) return;
        if (this.state?.phase === 'open') this.#complain('not_driver', '');
        else if (this.state?.phase === 'cut') this.#complain('cut', '');
      },
      // Every window's screen answers, the driver's counts; what was asked long ago was answered then.
      replied: (bytes) => {
        if (this.isDriver && !this.#connection?.isReplaying) this.#connection?.type(bytes);
      },
      title: (title) => (this.title = title),
      link: (url) => (this.link = url),
      action: (action) => this.act(action),
      room: ({ columns, rows }) => this.#connection?.fit(columns, rows),
      found: (at, count) => (this.found = { at, count }),
    };
  }

  #complain(code: string, message: string): void {
    clearTimeout(this.#complaintTimer);
    this.complaint = { code, message };
    this.#complaintTimer = setTimeout(() => (this.complaint = null), COMPLAINT_MS);
  }

  #keep(): void {
    const offset = this.#connection?.drawn ?? 0;
    const ended = this.state?.phase !== 'open' && this.state?.phase !== 'cut';
    if (!this.#screen?.isPlain || offset === 0 || ended) return;
    kept.set(this.id, { ...this.#screen.kept(), offset });
    for (const id of [...kept.keys()].slice(0, -MOST_KEPT)) kept.delete(id);
  }

  act(action: Exclude<KeyAction, 'type'>): void {
    if (action === 'copy') void this.copy();
    else if (action === 'search') this.isFinding = true;
    else if (action === 'leave') this.#leave();
    else if (action === 'bigger') preferences.zoom(1);
    else if (action === 'smaller') preferences.zoom(-1);
    else if (action === 'usual') preferences.zoom(0);
  }

  /** Follows what was chosen for looks; reads it, so an effect that calls it is run anew by a change. */
  dress(): void {
    this.#screen?.set(looks());
  }

  async copy(): Promise<void> {
    const text = this.#screen?.selection ?? '';
    if (text === '') return;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Over plain HTTP there is no clipboard: the browser's own command copies what is selected.
      document.execCommand('copy');
    }
    this.#screen?.deselect();
  }

  find(text: string, direction: 1 | -1, isFirst = false): void {
    this.#screen?.find(text, direction, { all: colour('--warn-soft'), one: colour('--warn') }, isFirst);
  }

  stopFinding(): void {
    this.isFinding = false;
    this.found = { at: 0, count: 0 };
    this.#screen?.stopFinding();
    this.focus();
  }

  focus(): void {
    this.#screen?.focus();
  }

  get text(): string {
    return this.#screen?.text ?? '';
  }

  get isDriver(): boolean {
    return this.state?.phase === 'open' && this.state.role === 'driver';
  }

  get connection(): TerminalLink | null {
    return this.#connection;
  }
}

/** How somebody wants terminals to look. */
export function looks(): ScreenOptions {
  return { font: preferences.font, theme: themeOf(settings.shown, colour), isReadable: preferences.isReadable };
}
