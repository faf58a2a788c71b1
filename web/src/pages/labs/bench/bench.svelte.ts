/**
 * The environment beside a lab's text, as that uses it: its terminals by their names, its files, its ports. It draws nothing.
 */

import { tick } from 'svelte';
import { ApiError } from '../../../lib/api';
import { words } from '../../../lib/i18n.svelte';
import { live, type Live } from '../../../lib/live.svelte';
import { toast } from '../../../lib/toast.svelte';
import { labs } from '../../../messages/labs';
import { workspaces } from '../../../messages/workspaces';
import { everyTerminal, openTerminal, type TerminalRecord } from '../../../parts/terminal/api';
import { after, type OpenTerminal } from '../../../parts/terminal/open.svelte';
import { windowOn } from '../../../parts/terminal/window.svelte';
import { oneWorkspace, preview, type Workspace } from '../../workspaces/api';
import { open as openFile, remove, write } from '../../workspaces/files/api';
import { bytesOf } from '../../workspaces/files/text';
import { isUsable } from '../../workspaces/status';
import { tabsOf } from '../../workspaces/terminals';
import type { EditBlock, PreviewBlock, RunBlock } from '../document/blocks';
import { meant, type LabTerminal } from './terminals';

const t = words(labs);
const w = words(workspaces);
/** A window is made at once; its program may have to be loaded first. */
const WINDOW_MS = 20_000;

export class Bench {
  readonly workspace: Live<Workspace>;
  readonly #all: Live<TerminalRecord[]>;
  readonly #named: () => readonly LabTerminal[];
  readonly #seen: () => void;
  /** What of it is shown. */
  tab = $state('terminals');
  /** The terminal that is looked at, and the one that takes the keyboard. */
  #looked = $state('');
  wanted = $state<string>();
  /** Who has the keyboard of the terminal that is looked at; empty if nobody has it. */
  driver = $state('');
  busy = $state(false);
  #opened = $state.raw<readonly OpenTerminal[]>([]);
  #closed = $state.raw<readonly string[]>([]);
  #opening = new Map<string, Promise<string>>();

  /** Made while a component is set up. `seen` brings it before one's eyes where there is room for one thing only. */
  constructor(id: () => string | null | undefined, named: () => readonly LabTerminal[], seen: () => void = () => {}) {
    this.#named = named;
    this.#seen = seen;
    this.workspace = live(() => {
      const one = id();
      return one ? oneWorkspace(one) : null;
    });
    this.#all = live(() => everyTerminal);
  }

  get boxes(): { id: string; name: string }[] {
    return (this.workspace.value?.containers ?? []).flatMap(({ id, name }) => (id ? [{ id, name }] : []));
  }

  /** Whether one can work in it now. */
  get isReady(): boolean {
    const one = this.workspace.value;
    return one !== undefined && isUsable(one.phase) && one.right !== 'viewer' && this.boxes.length > 0;
  }

  get terminals(): TerminalRecord[] | undefined {
    return this.#all.value;
  }

  get tabs(): OpenTerminal[] {
    return tabsOf(this.#all.value ?? [], this.boxes, this.#opened, this.#closed);
  }

  get looked(): string {
    const { tabs } = this;
    return tabs.find(({ id }) => id === this.#looked)?.id ?? tabs[0]?.id ?? '';
  }

  look(id: string): void {
    this.#looked = id;
  }

  /** What was seen stays, also when it ended. */
  keep(one: OpenTerminal): void {
    if (!this.#opened.some(({ id }) => id === one.id)) this.#opened = [...this.#opened, one];
  }

  close(id: string): void {
    const next = after(this.tabs, id);
    this.#closed = [...this.#closed, id];
    this.#looked = next ?? '';
  }

  /** Opens a terminal: one that the lab names, or any. */
  async open(name?: string, isFresh = false): Promise<string> {
    const one = meant(name, this.#named(), this.boxes, isFresh ? [] : (this.#all.value ?? []), this.looked);
    if (!one) throw new ApiError(0, 'not_ready', t('notReady'));
    if (one.id) return one.id;
    const key = `${one.container.id} ${one.name}`;
    // Two presses in a row mean the same terminal.
    const before = isFresh ? undefined : this.#opening.get(key);
    if (before) return before;
    const opening = openTerminal(one.container.id, { columns: 80, rows: 24, name: one.name }).then(({ id }) => id);
    this.#opening.set(key, opening);
    this.busy = true;
    try {
      const id = await opening;
      this.keep({ id, name: one.name });
      await this.#all.refetch();
      return id;
    } finally {
      this.busy = false;
      if (this.#opening.get(key) === opening) this.#opening.delete(key);
    }
  }

  /** One more, on somebody's word. */
  async another(name?: string): Promise<void> {
    try {
      const id = await this.open(name, true);
      this.wanted = id;
      this.#looked = id;
    } catch (error) {
      toast.failed(t('terminalFailed'), error);
    }
  }

  /** Types code into the terminal that it is for. */
  async run({ code, terminal, interrupt }: Pick<RunBlock, 'code' | 'terminal' | 'interrupt'>): Promise<void> {
    const known = new Set((this.#all.value ?? []).map(({ id }) => id));
    const id = await this.open(terminal ?? undefined);
    const isNew = !known.has(id);
    // One that was put away comes back.
    this.#closed = this.#closed.filter((one) => one !== id);
    this.tab = 'terminals';
    this.#looked = id;
    this.#seen();
    await tick();
    const view = await windowOn(id, WINDOW_MS);
    const isTyped = await view?.enter(code, { interrupt, isNew });
    if (!isTyped) throw new ApiError(0, 'not_typed', t('notTyped'));
  }

  /** Puts text into a file; what was there before can be brought back. */
  async edit({ code, file, container }: Pick<EditBlock, 'code' | 'file' | 'container'>): Promise<void> {
    const workspace = this.workspace.value?.id;
    const box = this.boxes.find(({ name }) => name === container) ?? this.boxes[0];
    if (!workspace || !box || !this.isReady) throw new ApiError(0, 'not_ready', t('notReady'));
    const place = { workspace, container: box.name };
    const before = await openFile(place, file).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
    const text = code.endsWith('\n') ? code : `${code}\n`;
    const made = new Blob([bytesOf(text, '\n')]);
    const { etag } = await write(place, file, made, before ? undefined : 'absent');
    const { content } = before ?? {};
    const undo = async () => {
      // Only what nobody has touched since is taken back.
      if (content) await write(place, file, new Blob([bytesOf(content.text, content.ends)]), { etag: `"${etag}"` });
      else await remove(place, file, false);
      toast.done(t('unwritten', { file }));
    };
    toast.done(t('writtenTo', { file }), !before || content ? undo : undefined);
  }

  /** Opens what a port serves in a tab of its own. */
  async preview({ port, path }: Pick<PreviewBlock, 'port' | 'path'>): Promise<void> {
    const id = this.workspace.value?.id;
    if (!id) return;
    // At once, while the press still counts; it is led there when the ticket has come.
    const tab = open('', '_blank');
    if (!tab) return toast.say(w('popup'));
    try {
      const { url } = await preview(id, port);
      // What runs in a workspace knows nothing of this page.
      tab.opener = null;
      tab.location.replace(at(url, path));
    } catch (error) {
      tab.close();
      toast.failed(`${w('portFailed')}: ${port}`, error);
    }
  }
}

/** The address of a page below a port: the ticket opens it, and is taken out of the address then. */
export function at(url: string, path: string): string {
  const full = new URL(url);
  // A path of a lab leads nowhere but below the port.
  const wanted = new URL(path.replace(/^[/\\]*/, '/'), full.origin);
  full.pathname = wanted.pathname;
  full.hash = wanted.hash;
  for (const [name, value] of wanted.searchParams) full.searchParams.append(name, value);
  return full.href;
}
