/** The events that match a filter: a part of the past at a time, and those that come, unless it is paused. */

import { ApiError, send } from '../../lib/api';
import { connection, type Event } from '../../lib/live.svelte';
import { asked, cursorOf, isWanted, joined, type Filter } from './filter';

const PART = 200;
const MOST = 5_000;

export class Tail {
  list = $state.raw<readonly Event[] | null>(null);
  /** Those that came while it was paused. */
  waiting = $state.raw<readonly Event[]>([]);
  isPaused = $state(false);
  isLoading = $state(false);
  /** Whether there is nothing older. */
  isAll = $state(false);
  error = $state.raw<ApiError | null>(null);
  readonly #filter: Filter;
  #cursor: string | null = null;
  readonly #stop = new AbortController();

  constructor(filter: Filter) {
    this.#filter = filter;
  }

  /** Begins; answers how to end it. */
  start(): () => void {
    const ends = [connection.listen((event) => this.#come(event)), connection.opened(() => void this.#catchUp())];
    void this.more();
    return () => {
      this.#stop.abort();
      for (const end of ends) end();
    };
  }

  #come(event: Event): void {
    if (!isWanted(event, this.#filter)) return;
    if (this.isPaused) this.waiting = joined([event], this.waiting, MOST);
    else this.list = joined([event], this.list ?? [], MOST);
  }

  /** What came while nobody was connected. */
  async #catchUp(): Promise<void> {
    if (this.list === null || this.#filter.until) return;
    const newest = await this.#ask(null);
    if (!newest) return;
    if (this.isPaused) {
      const known = new Set(this.list.map(({ id }) => id));
      this.waiting = joined(
        newest.events.filter(({ id }) => !known.has(id)),
        this.waiting,
        MOST,
      );
    } else this.list = joined(newest.events, this.list, MOST);
  }

  /** Fetches the next older part. */
  more = async (): Promise<void> => {
    if (this.isLoading || this.isAll) return;
    this.isLoading = true;
    const part = await this.#ask(this.#cursor);
    this.isLoading = false;
    if (!part) return;
    this.list = joined(this.list ?? [], part.events, MOST);
    this.#cursor = part.cursor;
    this.isAll = part.cursor === null || this.list.length >= MOST;
  };

  async #ask(cursor: string | null): Promise<{ events: Event[]; cursor: string | null } | null> {
    try {
      const query = { ...asked(this.#filter), limit: PART, cursor };
      const response = await send('get', '/api/events', { query, signal: this.#stop.signal });
      const events = (await response.json()) as Event[];
      this.error = null;
      return { events, cursor: cursorOf(response.headers.get('link')) };
    } catch (error) {
      if (error instanceof ApiError) this.error = error;
      else if (!this.#stop.signal.aborted) this.error = new ApiError(0, 'unreadable', String(error));
      return null;
    }
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.list = joined(this.waiting, this.list ?? [], MOST);
    this.waiting = [];
  }
}
