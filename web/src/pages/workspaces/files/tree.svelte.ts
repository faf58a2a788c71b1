/** The folders of a container as far as somebody looked into them. */

import { ApiError } from '../../../lib/api';
import { language } from '../../../lib/i18n.svelte';
import { list, type File, type Place } from './api';
import { inOrder, shown, wayTo, type Row } from './paths';

export class Tree {
  /** What is in those that were looked into. */
  #inside = $state.raw<ReadonlyMap<string, readonly File[]>>(new Map());
  #more = $state.raw<ReadonlyMap<string, number>>(new Map());
  open = $state.raw<ReadonlySet<string>>(new Set());
  error = $state.raw<ApiError | undefined>(undefined);
  busy = $state(0);
  readonly rows: Row<File>[] = $derived(shown('/', this.open, (path) => this.#inside.get(path)));
  readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  /** Whether the root was looked into. */
  get isThere(): boolean {
    return this.#inside.has('/');
  }

  isEmpty(path: string): boolean {
    return this.#inside.get(path)?.length === 0;
  }

  /** How many of a folder are shown, if there are more. */
  crowded(path: string): number | undefined {
    return this.#more.get(path);
  }

  find(path: string): File | undefined {
    for (const entries of this.#inside.values()) {
      const found = entries.find((entry) => entry.path === path);
      if (found) return found;
    }
    return undefined;
  }

  /** Looks into a folder; what was seen of it stays until then, and if that fails. */
  async look(path: string): Promise<boolean> {
    this.busy += 1;
    try {
      const folder = await list(this.place, path);
      const more = new Map(this.#more);
      if (folder.has_more) more.set(path, folder.entries.length);
      else more.delete(path);
      this.#more = more;
      this.#inside = new Map(this.#inside).set(path, inOrder(folder.entries, language.locale));
      this.error = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
      this.#gone(path);
      return false;
    } finally {
      this.busy -= 1;
    }
  }

  /** A folder that can't be looked into is closed. */
  #gone(path: string): void {
    this.open = new Set([...this.open].filter((each) => each !== path));
  }

  async expand(path: string): Promise<void> {
    if (!this.#inside.has(path) && !(await this.look(path))) return;
    this.open = new Set(this.open).add(path);
  }

  collapse(path: string): void {
    this.open = new Set([...this.open].filter((each) => each !== path));
  }

  /** Opens the folders on the way to a path. */
  async reveal(path: string): Promise<void> {
    for (const folder of wayTo(path)) await this.expand(folder);
  }

  /** Looks once more into all that is open. */
  async again(): Promise<void> {
    await Promise.all(['/', ...this.open].map((path) => this.look(path)));
  }
}
