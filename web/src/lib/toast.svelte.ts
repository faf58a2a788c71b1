/** Short notes of what was done, with a way back; shown by the shell, read out by screen readers. */

import { ApiError } from './api';
import { inWords } from '../lib/said';

export interface Note {
  id: number;
  tone: 'good' | 'bad' | 'plain';
  text: string;
  detail?: string | undefined;
  undo?: (() => void | Promise<void>) | undefined;
}

const GOOD_MS = 6_000;
const UNDO_MS = 12_000;

export class Toasts {
  notes = $state.raw<readonly Note[]>([]);
  #next = 1;
  /** Of those that go by themselves: after how long, and what waits for that. */
  readonly #ends = new Map<number, { ms: number; timer: ReturnType<typeof setTimeout> }>();

  #add(note: Omit<Note, 'id'>, ms: number): void {
    const id = this.#next++;
    this.notes = [...this.notes.slice(-3), { ...note, id }];
    if (ms > 0) this.#ends.set(id, { ms, timer: setTimeout(() => this.dismiss(id), ms) });
  }

  /** Somebody points at it, or has the focus in it: it stays. */
  hold(id: number): void {
    clearTimeout(this.#ends.get(id)?.timer);
  }

  /** Nobody does any more: its time begins anew. */
  release(id: number): void {
    const end = this.#ends.get(id);
    if (!end) return;
    clearTimeout(end.timer);
    end.timer = setTimeout(() => this.dismiss(id), end.ms);
  }

  /** Something was done; `undo` takes it back. */
  done(text: string, undo?: () => void | Promise<void>): void {
    this.#add({ tone: 'good', text, undo }, undo ? UNDO_MS : GOOD_MS);
  }

  say(text: string): void {
    this.#add({ tone: 'plain', text }, GOOD_MS);
  }

  /** Something failed: it stays until it is dismissed. */
  failed(text: string, error: unknown): void {
    this.#add({ tone: 'bad', text, detail: error instanceof ApiError ? inWords(error.message) : String(error) }, 0);
  }

  dismiss(id: number): void {
    this.hold(id);
    this.#ends.delete(id);
    this.notes = this.notes.filter((note) => note.id !== id);
  }
}

export const toast = new Toasts();
