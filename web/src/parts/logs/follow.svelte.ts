/** Several logs in one view: their lines in one book, as the components see them. */

import { ApiError, send } from '../../lib/api';
import { connection } from '../../lib/live.svelte';
import { whileSeen } from '../../lib/seen';
import { LogBook, type Line } from './book';
import { LogRefused, LogSource, type Answer, type SourceState, type Wanted } from './source';

export interface LogOf {
  /** The container. */
  id: string;
  name: string;
}

/** How many lines of each log are fetched at first: of one that is followed, and of one that is not. */
const TAIL = 5_000;
const SHORT_TAIL = 1_000;
/** How many logs are shown as one. */
export const MOST_SHOWN = 24;
/** Lines are shown at most so often. */
const DRAW_MS = 100;

/**
 * How many logs are followed at once: over HTTP/1 a browser has six connections for everything, and each log takes one.
 */
export function mostSources(protocol: string | undefined): number {
  return protocol === 'h2' || protocol === 'h3' ? MOST_SHOWN : 3;
}

export class LogFollow {
  /** Rises with every change of the book. */
  version = $state(0);
  states = $state.raw<readonly SourceState[]>([]);
  /** The lines as they were when it was paused; null while it follows. */
  frozen = $state.raw<readonly Line[] | null>(null);
  /** How many came since. */
  waiting = $state(0);
  readonly names: readonly string[];
  readonly #book = new LogBook();
  readonly #logs: readonly LogOf[];
  readonly #sources: readonly LogSource[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The others are read once, and again by `again`. */
  constructor(logs: readonly LogOf[], followed: readonly string[]) {
    this.#logs = logs;
    this.names = logs.map((log) => log.name);
    this.#sources = logs.map((log, at) => {
      const follows = followed.includes(log.id);
      return new LogSource(this.#ports(log, at), follows ? TAIL : SHORT_TAIL, follows);
    });
    this.states = this.#sources.map((source) => source.state);
  }

  /** Follows until the answer is called. */
  start(): () => void {
    const end = whileSeen(async (signal) => {
      for (const source of this.#sources) source.start();
      signal.addEventListener('abort', () => {
        for (const source of this.#sources) source.stop();
      });
    });
    const ends = [
      connection.opened(() => this.again()),
      connection.listen((event) => {
        const at = this.#logs.findIndex((log) => log.id === event.container?.id);
        this.#sources[at]?.wake();
      }),
    ];
    return () => {
      end();
      for (const one of ends) one();
      clearTimeout(this.#timer);
    };
  }

  #ports(log: LogOf, at: number): ConstructorParameters<typeof LogSource>[0] {
    return {
      fetch: (wanted, signal) => ask(log.id, wanted, signal),
      lines: (raws) => {
        this.#book.add(at, raws);
        if (this.frozen) this.waiting += raws.length;
        this.#soon();
      },
      broke: () => {
        this.#book.mark(at, 'reconnected');
        this.#soon();
      },
      changed: () => (this.states = this.#sources.map((source) => source.state)),
      wait: (ms, signal) =>
        new Promise((done) => {
          const timer = setTimeout(done, ms);
          signal.addEventListener('abort', () => {
            clearTimeout(timer);
            done();
          });
        }),
    };
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.version += 1;
    }, DRAW_MS);
  }

  /** Reads on what is not followed. */
  again(): void {
    for (const source of this.#sources) source.wake();
  }

  /** Lets what is shown stand still. What comes meanwhile is kept. */
  pause(): void {
    if (this.frozen) return;
    this.frozen = [...this.#book.lines];
    this.waiting = 0;
  }

  resume(): void {
    this.frozen = null;
    this.waiting = 0;
    this.version += 1;
  }

  /** What is shown. Read `version` to hear of more. */
  get lines(): readonly Line[] {
    return this.frozen ?? this.#book.lines;
  }

  get dropped(): number {
    return this.#book.dropped;
  }
}

async function ask(id: string, { tail, since, follow }: Wanted, signal: AbortSignal): Promise<Answer> {
  const query = { follow, timestamps: 'true', tail, since };
  try {
    const response = await send('get', '/api/containers/{id}/logs', { path: { id }, query, signal });
    return { body: pieces(response), goneSince: response.headers.get('pierhead-gone-since') };
  } catch (error) {
    const isFinal = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
    throw isFinal ? new LogRefused(error.message) : error;
  }
}

/** The body of an answer in pieces; not all browsers can go through it by themselves. */
async function* pieces(response: Response): AsyncIterable<Uint8Array> {
  const reader = response.body?.getReader();
  for (;;) {
    const read = await reader?.read();
    if (!read || read.done) return;
    yield read.value;
  }
}
