/**
 * A text of a lab while somebody writes at it: it saves itself, follows what others write, and when both wrote it keeps
 * both until one of them has put them together. It draws nothing.
 */

import { ApiError } from '../../../lib/api';
import type { Text } from '../../workspaces/files/text';
import type { Opened } from '../api';

export type State =
  | 'loading'
  /** It stands in the lab as it is shown. */
  | 'saved'
  | 'typing'
  | 'saving'
  /** Somebody else wrote meanwhile: nothing is saved until that is settled. */
  | 'conflict'
  /** It could not be saved: it is tried again by the next key, or on somebody's word. */
  | 'unsaved'
  /** It could not be read. */
  | 'failed'
  /** It is gone: somebody removed or renamed it. */
  | 'gone'
  | 'binary';

/** What somebody else wrote meanwhile. */
export interface Conflict {
  theirs: string;
  /** What one wrote oneself. */
  mine: string;
  etag: string;
  /** Both put together, as far as that goes by itself. */
  proposal: string;
  /** Where both changed the same lines. */
  overlaps: number;
  /** Who and when, as the controller says it. */
  said: string;
}

export interface Place {
  open(signal?: AbortSignal): Promise<Opened>;
  /** Answers the new etag. */
  write(text: string, ends: Text['ends'], only: { etag: string } | 'absent'): Promise<string>;
}

const PAUSE_MS = 800;
/** Whoever types without a pause is saved as well. */
const LONGEST_MS = 5_000;

export class Writing {
  state = $state<State>('loading');
  error = $state.raw<ApiError>();
  conflict = $state.raw<Conflict>();
  /** What the field is to show; rises in `turn` whenever that did not come from the field itself. */
  text = $state.raw('');
  turn = $state(0);
  #stored = '';
  #ends: Text['ends'] = '\n';
  #etag = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since = 0;
  #saving: Promise<void> | undefined;
  #isClosed = false;
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  get etag(): string {
    return this.#etag;
  }

  /** Whether something is not in the lab yet. */
  get isDirty(): boolean {
    return ['typing', 'saving', 'conflict', 'unsaved'].includes(this.state);
  }

  async load(): Promise<void> {
    try {
      this.#take(await this.#place.open());
      this.error = undefined;
    } catch (error) {
      this.error = asApiError(error);
      this.state = this.error.status === 404 ? 'gone' : 'failed';
    }
  }

  #take({ etag, content }: Opened): void {
    this.#etag = etag;
    if (!content) {
      this.state = 'binary';
      return;
    }
    this.#stored = this.text = content.text;
    this.#ends = content.ends;
    this.turn += 1;
    this.state = 'saved';
  }

  /** Somebody typed: all of the text as it is now. */
  typed(text: string): void {
    this.text = text;
    if (this.state === 'conflict') return;
    if (text === this.#stored && this.state !== 'saving') {
      this.state = 'saved';
      clearTimeout(this.#timer);
      return;
    }
    if (this.state !== 'typing' && this.state !== 'saving') this.#since = Date.now();
    if (this.state !== 'saving') this.state = 'typing';
    this.#soon();
  }

  #soon(): void {
    clearTimeout(this.#timer);
    const left = Math.max(0, this.#since + LONGEST_MS - Date.now());
    this.#timer = setTimeout(() => void this.save(), Math.min(PAUSE_MS, left));
  }

  /** Saves it now, if there is something to save. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#saving) {
      await this.#saving;
      if (this.state === 'typing') return this.save();
      return;
    }
    if (this.state !== 'typing' && this.state !== 'unsaved') return;
    this.#saving = this.#save();
    await this.#saving;
    this.#saving = undefined;
    if (this.state === 'typing' && !this.#isClosed) this.#soon();
    else if (this.state === 'typing') await this.save();
  }

  async #save(): Promise<void> {
    const saving = this.text;
    this.state = 'saving';
    try {
      this.#etag = await this.#place.write(saving, this.#ends, { etag: this.#etag });
      this.#stored = saving;
      this.error = undefined;
      this.#since = Date.now();
      this.state = this.text === saving ? 'saved' : 'typing';
    } catch (error) {
      const refusal = asApiError(error);
      if (refusal.status === 412) await this.#meet(refusal.message);
      else {
        this.error = refusal;
        this.state = 'unsaved';
      }
    }
  }

  /** Somebody else wrote meanwhile. */
  async #meet(said: string): Promise<void> {
    try {
      const { etag, content } = await this.#place.open();
      // What is no text any more can't be put together with one: it is overwritten or left.
      const theirs = content?.text ?? '';
      const mine = this.text;
      if (theirs === mine) {
        [this.#etag, this.#stored, this.state] = [etag, mine, 'saved'];
        return;
      }
      // What puts texts together is a part of the editor, which is loaded by itself.
      const { merged } = await import('./merge');
      const { text, conflicts } = merged(this.#stored, mine, theirs);
      this.conflict = { theirs, mine, etag, proposal: text, overlaps: conflicts, said };
      this.text = text;
      this.turn += 1;
      this.state = 'conflict';
    } catch (error) {
      this.error = asApiError(error);
      this.state = this.error.status === 404 ? 'gone' : 'unsaved';
    }
  }

  /** Ends a conflict: with the text as it stands in the field, with theirs, or with one's own. */
  async settle(how: 'merged' | 'theirs' | 'mine'): Promise<void> {
    const { conflict } = this;
    if (!conflict || this.state !== 'conflict') return;
    const text = how === 'merged' ? this.text : conflict[how];
    this.conflict = undefined;
    this.#etag = conflict.etag;
    this.#stored = conflict.theirs;
    if (text !== this.text) {
      this.text = text;
      this.turn += 1;
    }
    this.state = text === conflict.theirs ? 'saved' : 'typing';
    await this.save();
  }

  /** Writes it anew where somebody removed it. */
  async bringBack(): Promise<void> {
    if (this.state !== 'gone') return;
    try {
      this.#etag = await this.#place.write(this.text, this.#ends, 'absent');
      this.#stored = this.text;
      this.state = 'saved';
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  /** The lab says that the file has this digest now; nothing if it is not there any more. */
  async follow(digest: string | undefined): Promise<void> {
    if (this.state === 'loading' || this.#saving || this.state === 'conflict') return;
    if (digest === undefined) {
      if (this.state === 'saved' || this.state === 'binary') this.state = 'gone';
      return;
    }
    if (this.state === 'gone') return this.load();
    if (this.state !== 'saved' || this.#etag === `"${digest}"`) return;
    const before = this.#etag;
    try {
      const opened = await this.#place.open();
      // Whoever typed meanwhile meets it when that is saved; what was saved meanwhile may be newer than what was read.
      if (this.state === 'saved' && !this.#saving && this.#etag === before) this.#take(opened);
    } catch {
      // It will be seen by the next save, or by the next that is told of the lab.
    }
  }

  /** It is left: what is not saved yet is saved now. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.save();
  }
}

function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, 'unreadable', String(error));
}
