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

/** The windows that are on the page, by their terminals; whoever waits for one is told when it comes. */
const present = new Map<string, TerminalWindow>();
const awaited = new Set<() => void>();

/** The window on a terminal, once it is on the page; nothing if none comes in time. */
export async function windowOn(id: string, withinMs: number): Promise<TerminalWindow | undefined> {
  return (await within(withinMs, awaited, () => present.has(id))) ? present.get(id) : undefined;
}

/** Waits until something holds that changes with `signals`, and answers whether it came to that. */
function within(ms: number, signals: Set<() => void>, holds: () => boolean): Promise<boolean> {
  if (holds()) return Promise.resolve(true);
  return new Promise((done) => {
    const end = (is: boolean) => {
      signals.delete(look);
      clearTimeout(timer);
      done(is);
    };
    const look = () => {
      if (holds()) end(true);
    };
    const timer = setTimeout(() => end(false), ms);
    signals.add(look);
  });
}

/** Control and C: what runs is interrupted. */
const INTERRUPT = new Uint8Array([3]);
/** A shell that says nothing for so long has its prompt there. */
const QUIET_MS = 150;
const LONGEST_UNREST_MS = 3_000;
const OPENING_MS = 15_000;

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
  readonly #looks: boolean;
  #leave: () => void = () => {};
  #changes = new Set<() => void>();

  /** With `looks` the keyboard is not taken though it may be free: it can be asked for. */
  constructor(id: string, looks = false) {
    this.id = id;
    this.#looks = looks;
  }

  /**
   * Draws it into an element and connects; answers how to end that. `leave` is where the focus goes by Ctrl-F6; with
   * `isWanted` the terminal takes it once it is there.
   */
  show(place: HTMLElement, leave: () => void, isWanted = false): () => void {
    this.#leave = leave;
    let isGone = false;
    present.set(this.id, this);
    for (const tell of [...awaited]) tell();
    void this.#begin(place, () => isGone, isWanted);
    const seen = () => this.#look();
    const online = () => this.#connection?.hurry();
    document.addEventListener('visibilitychange', seen);
    addEventListener('online', online);
    return () => {
      isGone = true;
      if (present.get(this.id) === this) present.delete(this.id);
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
      looks: this.#looks,
      changed: () => {
        const state = this.#connection?.state;
        if (!state) return;
        this.state = state;
        screen.isTaking = state.phase === 'open' && state.role === 'driver';
        for (const tell of [...this.#changes]) tell();
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

  /**
   * Types a line as somebody at the keyboard would, and presses Enter; takes the keyboard for it if it is free. With
   * `interrupt` what runs is interrupted first; with `isNew` the shell's first prompt is waited for. Answers whether it was
   * typed: somebody else may have the keyboard.
   */
  async enter(line: string, { interrupt = false, isNew = false } = {}): Promise<boolean> {
    await within(OPENING_MS, this.#changes, () => this.state?.phase === 'open');
    if (!this.isDriver) this.#connection?.drive();
    if (!(await within(OPENING_MS, this.#changes, () => this.isDriver))) return false;
    if (isNew) await this.#quiet();
    if (interrupt) {
      this.#connection?.type(INTERRUPT);
      // A shell that is about to show its prompt may drop what is typed before.
      await this.#quiet();
    }
    const keys = `${line.replace(/\r?\n/g, '\r')}\r`;
    return this.#connection?.type(new TextEncoder().encode(keys)) ?? false;
  }

  /** Waits until something was printed, and then nothing for a moment; not for ever. */
  async #quiet(): Promise<void> {
    const begun = Date.now();
    let since = begun;
    let drawn = this.#connection?.drawn ?? 0;
    let hasSaid = false;
    while (Date.now() - begun < LONGEST_UNREST_MS && !(hasSaid && Date.now() - since >= QUIET_MS)) {
      await new Promise((done) => setTimeout(done, QUIET_MS / 5));
      const now = this.#connection?.drawn ?? 0;
      if (now === drawn) continue;
      [drawn, since, hasSaid] = [now, Date.now(), true];
    }
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
