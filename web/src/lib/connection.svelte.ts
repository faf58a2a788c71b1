/** The one stream of events: whether the controller is heard, and what it tells. It keeps nothing of what it tells. */

import { ApiError, type Schemas } from './api';
import { whileSeen } from './seen';
import { follow } from './stream';

export type Event = Schemas['EventView'];

/** The server gives a sign of life each 15 s; without two of them what is shown is stale. */
const STALE_AFTER_MS = 35_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const PATH = '/api/events/stream';

export type ConnectionState = 'connecting' | 'online' | 'stale' | 'offline' | 'deaf';

type Listen = (event: Event) => void;

class Connection {
  /** `deaf`: this account may not read events, so nothing shows by itself. */
  state = $state<ConnectionState>('connecting');
  /** When the server was heard last, in milliseconds since 1970; 0 for never. */
  heardAt = $state(0);
  /** When the next try to connect is due, while offline. */
  nextTryAt = $state(0);

  #end: (() => void) | undefined;
  #hurry: (() => void) | undefined;
  #lastId: string | undefined;
  #listeners = new Set<Listen>();
  #openers = new Set<(missedNothing: boolean) => void>();
  #since: string | undefined;
  #hasOpened = false;

  /**
   * Connects, and stays connected while the page is seen, until `stop`. With the server's moment before anything was
   * fetched, in milliseconds since 1970, events from then on are told: nothing has to be fetched twice.
   */
  start(since = Number.NaN): void {
    if (this.#end) return;
    // Its clock is told in whole seconds.
    this.#since = Number.isFinite(since) ? new Date(since - 1000).toISOString() : undefined;
    this.#hasOpened = false;
    this.#end = whileSeen((signal) => this.#connect(signal));
    addEventListener('online', this.retry);
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
    this.#lastId = undefined;
    this.state = 'connecting';
    this.heardAt = 0;
    removeEventListener('online', this.retry);
  }

  /** Tries at once instead of waiting. */
  retry = (): void => this.#hurry?.();

  /** Calls `listen` with each event from now on; answers how to end that. */
  listen(listen: Listen): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  /** Calls `back` whenever the stream was opened: unless it missed nothing, what was fetched before may be old. */
  opened(back: (missedNothing: boolean) => void): () => void {
    this.#openers.add(back);
    return () => this.#openers.delete(back);
  }

  async #connect(stop: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!stop.aborted) {
      const one = new AbortController();
      const begun = Date.now();
      const abort = () => one.abort();
      stop.addEventListener('abort', abort);
      const watchdog = setInterval(() => {
        if (Date.now() - Math.max(this.heardAt, begun) > STALE_AFTER_MS) {
          if (this.state === 'online') this.state = 'stale';
          abort();
        }
      }, 1000);
      try {
        await follow(
          PATH,
          this.#listener(() => (wait = FIRST_WAIT_MS)),
          { signal: one.signal, lastId: this.#lastId, query: this.#lastId ? {} : { since: this.#since } },
        );
      } catch (error) {
        if (error instanceof ApiError && error.status === 403) {
          this.state = 'deaf';
          return;
        }
        if (error instanceof ApiError && error.status === 401) return;
        if (error instanceof ApiError && error.status === 400) this.#lastId = this.#since = undefined;
      } finally {
        clearInterval(watchdog);
        stop.removeEventListener('abort', abort);
      }
      if (stop.aborted) return;
      this.state = 'offline';
      await this.#pause(wait, stop);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  #listener(connected: () => void) {
    return {
      open: () => {
        connected();
        this.heardAt = Date.now();
        this.state = 'online';
        const missedNothing = !this.#hasOpened && this.#since !== undefined;
        this.#hasOpened = true;
        for (const back of this.#openers) back(missedNothing);
      },
      heard: () => {
        this.heardAt = Date.now();
      },
      event: ({ id, data }: { id: string | undefined; data: string }) => {
        if (id) this.#lastId = id;
        const event = JSON.parse(data) as Event;
        for (const listen of this.#listeners) listen(event);
      },
    };
  }

  #pause(wait: number, signal: AbortSignal): Promise<void> {
    // Not all at the same moment, when a controller comes back to many browsers.
    const jittered = wait * (0.75 + Math.random() / 2);
    this.nextTryAt = Date.now() + jittered;
    return new Promise((done) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#hurry = undefined;
        done();
      };
      const timer = setTimeout(end, jittered);
      this.#hurry = end;
      signal.addEventListener('abort', end);
    });
  }
}

export const connection = new Connection();
