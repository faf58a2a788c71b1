/** A log in a view, of one container or of all of an app: its lines in a book, as the components see them. */

import { ApiError, send } from '../../lib/api';
import { connection, type Event } from '../../lib/live.svelte';
import { whileSeen } from '../../lib/seen';
import { LogBook, type Line } from './book';
import { LogRefused, LogSource, named, Seen, SeenOfMany, type Answer, type SourceState, type Wanted } from './source';

/** Whose log: that of a container, or those of all containers of an app as one. */
export type LogOf = { container: string; name: string } | { app: string };

/** How many lines are fetched at first, of each container. */
const TAIL = 5_000;
const TAIL_OF_MANY = 1_000;
/** Lines are shown at most so often. */
const DRAW_MS = 100;

/** How it stands with the log of one of several containers. */
export type Standing = { is: 'ended' } | { is: 'failed'; why: string };

export class LogFollow {
  /** Rises with every change of the book. */
  version = $state(0);
  /** How it stands with the log as a whole. */
  state = $state.raw<SourceState>({ phase: 'loading' });
  /** The containers that wrote something. */
  names = $state.raw<readonly string[]>([]);
  /** Those of several that write nothing now, and why. */
  standing = $state.raw<ReadonlyMap<string, Standing>>(new Map());
  /** How many containers are left out. */
  left = $state(0);
  /** The lines as they were when it was paused; null while it follows. */
  frozen = $state.raw<readonly Line[] | null>(null);
  /** How many came since. */
  waiting = $state(0);
  readonly #book = new LogBook();
  readonly #of: LogOf;
  readonly #source: LogSource;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(of: LogOf) {
    this.#of = of;
    const isOne = 'container' in of;
    if (isOne) this.names = [of.name];
    const ports: ConstructorParameters<typeof LogSource>[0] = {
      fetch: (wanted, signal) => ask(of, wanted, signal),
      lines: (raws) => {
        if (isOne) this.#add(0, raws);
        else this.#addNamed(raws);
        this.#soon();
      },
      broke: () => {
        this.#book.mark(0, 'reconnected');
        this.#soon();
      },
      changed: () => (this.state = this.#source.state),
      wait,
    };
    this.#source = new LogSource(ports, isOne ? TAIL : TAIL_OF_MANY, isOne ? new Seen() : new SeenOfMany());
  }

  /** Follows until the answer is called. */
  start(): () => void {
    const of = this.#of;
    const isAbout = (event: Event) => ('container' in of ? event.container?.id === of.container : event.app === of.app);
    const ends = [
      whileSeen(async (signal) => {
        this.#source.start();
        signal.addEventListener('abort', () => this.#source.stop());
      }),
      connection.opened(() => this.#source.wake()),
      connection.listen((event) => {
        if (isAbout(event)) this.#source.wake();
      }),
    ];
    return () => {
      for (const end of ends) end();
      clearTimeout(this.#timer);
    };
  }

  #add(source: number, raws: readonly string[]): void {
    this.#book.add(source, raws);
    if (this.frozen) this.waiting += raws.length;
  }

  /** Lines of one container after another go into the book together. */
  #addNamed(lines: readonly string[]): void {
    let raws: string[] = [];
    let of = '';
    const put = () => {
      if (raws.length > 0) this.#add(this.#place(of), raws);
      raws = [];
    };
    for (const line of lines) {
      const { name, raw } = named(line);
      if (name === '#') {
        put();
        this.#note(raw);
        continue;
      }
      if (name !== of) put();
      of = name;
      raws.push(raw);
    }
    put();
  }

  #place(name: string): number {
    if (this.standing.has(name)) this.standing = new Map([...this.standing].filter(([other]) => other !== name));
    const at = this.names.indexOf(name);
    if (at >= 0) return at;
    this.names = [...this.names, name];
    return this.names.length - 1;
  }

  /** What is said about a log. */
  #note(text: string): void {
    const [, ended] = /^(\S+) has ended$/.exec(text) ?? [];
    const [, failed, why] = /^(\S+) cannot be read: (.*)$/.exec(text) ?? [];
    const [, left] = /^(\d+) more containers are left out$/.exec(text) ?? [];
    if (ended) this.standing = new Map([...this.standing, [ended, { is: 'ended' }]]);
    if (failed) this.standing = new Map([...this.standing, [failed, { is: 'failed', why: why ?? '' }]]);
    if (left) this.left = Number(left);
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.version += 1;
    }, DRAW_MS);
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

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}

async function ask(of: LogOf, { tail, since }: Wanted, signal: AbortSignal): Promise<Answer> {
  const query = { follow: true, timestamps: 'true', tail, since };
  const [path, name] =
    'container' in of
      ? (['/api/containers/{name}/logs', of.container] as const)
      : (['/api/apps/{name}/logs', of.app] as const);
  try {
    const response = await send('get', path, { path: { name }, query, signal });
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
