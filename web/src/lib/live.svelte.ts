/**
 * What is shown follows the controller: one stream of events for the whole console, and resources that fetch
 * themselves anew when an event touches them. Nothing is polled.
 */

import { untrack } from 'svelte';
import { ApiError } from './api';
import { connection, type Event } from './connection.svelte';

export { connection, type ConnectionState, type Event } from './connection.svelte';

/** Where a resource comes from, and which events change it. */
export interface Source<T> {
  /** Tells resources apart: the same key is fetched once, however many look at it. */
  key: string;
  load: (signal: AbortSignal) => Promise<T>;
  /** Whether an event may have changed it; absent for every event. */
  wakeOn?: (event: Event) => boolean;
}

/** Events come in bursts: the first is waited for a moment, and then no more often than the answer takes. */
const DEBOUNCE_MS = 120;
const SPACING = 3;
const LONGEST_SPACING_MS = 3_000;
/** How long what nobody looks at is kept, so that going back shows it at once. */
const KEPT_MS = 60_000;

/** A request that takes longer, while the connection broke, hangs. */
const HANGING_MS = 5_000;

class Resource<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<ApiError | undefined>(undefined);
  isLoading = $state(false);
  /** When the value was fetched, in milliseconds since 1970. */
  at = $state(0);

  #source: Source<T>;
  #users = 0;
  #begun = 0;
  #took = 0;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;
  #ends: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(source: Source<T>) {
    this.#source = source;
  }

  /** Somebody looks at it. Answers how they stop. */
  use(source: Source<T>, forget: () => void): () => void {
    this.#source = source;
    this.#users += 1;
    if (this.#users === 1) this.#wake();
    return () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#sleep();
      setTimeout(() => this.#users === 0 && forget(), KEPT_MS);
    };
  }

  #wake(): void {
    this.#ends = [
      connection.listen((event) => {
        if (this.#source.wakeOn?.(event) ?? true) this.#soon();
      }),
      connection.opened((missedNothing) => {
        if (missedNothing && !this.error) return;
        // What was asked before a break may never be answered.
        if (this.#abort && Date.now() - this.#begun > HANGING_MS) this.#abort.abort();
        this.#soon();
      }),
    ];
    void this.refetch();
  }

  #sleep(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#abort?.abort();
  }

  #soon(): void {
    if (this.#abort) {
      this.#again = true;
      return;
    }
    const spacing = Math.min(this.#took * SPACING, LONGEST_SPACING_MS);
    const due = Math.max(DEBOUNCE_MS, this.#begun + spacing - Date.now());
    this.#timer ??= setTimeout(() => void this.refetch(), due);
  }

  /** Fetches it now; done when an answer that began after the call is there. */
  async refetch(): Promise<void> {
    if (this.#abort) {
      this.#again = true;
      return new Promise((done) => this.#waiting.push(done));
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const abort = new AbortController();
    this.#abort = abort;
    this.#begun = Date.now();
    this.isLoading = true;
    try {
      this.value = await this.#source.load(abort.signal);
      this.at = Date.now();
      this.error = undefined;
    } catch (error) {
      if (!abort.signal.aborted) {
        this.error = error instanceof ApiError ? error : new ApiError(0, 'unreadable', String(error));
      }
    }
    this.#took = Date.now() - this.#begun;
    this.#abort = undefined;
    this.isLoading = false;
    for (const done of waiting) done();
    if (this.#waiting.length > 0) await this.refetch();
    else if (this.#again && this.#users > 0) this.#soon();
  }
}

const resources = new Map<string, Resource<unknown>>();

/** Forgets everything: somebody else logs in. */
export function forgetAll(): void {
  resources.clear();
}

/** What a page sees of a resource. `value` stays while it is fetched anew and when that fails; see `error` and `at`. */
export interface Live<T> {
  readonly value: T | undefined;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
  readonly at: number;
  refetch(): Promise<void>;
}

/**
 * A resource for as long as the calling component is there. Call it while a component is set up; `source` may depend on
 * state, and may be null for "nothing at present".
 */
export function live<T>(source: () => Source<T> | null): Live<T> {
  const key = $derived(source()?.key ?? null);
  const current = $derived.by(() => {
    if (key === null) return null;
    const found = resources.get(key) as Resource<T> | undefined;
    if (found) return found;
    const made = untrack(() => new Resource(source() as Source<T>));
    resources.set(key, made as Resource<unknown>);
    return made;
  });
  $effect(() => {
    const used = current;
    const as = key;
    if (!used || as === null) return;
    return untrack(() => {
      const from = source();
      if (!from) return;
      return used.use(from, () => {
        if (resources.get(as) === used) resources.delete(as);
      });
    });
  });
  return {
    get value() {
      return current?.value;
    },
    get error() {
      return current?.error;
    },
    get isLoading() {
      return current?.isLoading ?? false;
    },
    get at() {
      return current?.at ?? 0;
    },
    refetch: () => current?.refetch() ?? Promise.resolve(),
  };
}
