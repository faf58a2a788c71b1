/** A log as it is followed, of one container or of several as one: in whole lines, again and again when the connection breaks, none twice. */

import { parted } from './book';

/** What one request answered. */
export interface Answer {
  body: AsyncIterable<Uint8Array>;
  /** Since when the container is gone, if it is (RFC 3339). */
  goneSince: string | null;
}

export interface Wanted {
  /** How many lines at first. */
  tail: number | null;
  /** From this moment on: after a break. */
  since: string | null;
}

/** A refusal that another try would not change. */
export class LogRefused extends Error {}

export interface SourcePorts {
  /** Fails with `LogRefused` if trying again is of no use. */
  fetch(wanted: Wanted, signal: AbortSignal): Promise<Answer>;
  lines(raws: readonly string[]): void;
  /** Lines after this may be others than those that followed. */
  broke(): void;
  changed(): void;
  /** Waits, or is called off. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export type SourceState =
  | { phase: 'loading' }
  | { phase: 'following' }
  /** The connection is lost; another try is due. */
  | { phase: 'cut' }
  /** Nothing more will come: it does not run, or is gone. */
  | { phase: 'ended'; goneSince: string | null }
  | { phase: 'refused'; message: string }
  | { phase: 'stopped' };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** A line that is longer comes in pieces. */
export const LONGEST_LINE = 16_384;

/** Takes text in pieces cut anywhere and gives whole lines. */
export class Lines {
  #rest = '';

  take(text: string): string[] {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    const whole = parts.flatMap(pieces);
    if (this.#rest.length >= LONGEST_LINE) {
      whole.push(...pieces(this.#rest));
      this.#rest = '';
    }
    return whole;
  }

  /** What is left without an end. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' ? [] : pieces(rest);
  }
}

function pieces(line: string): string[] {
  if (line.length <= LONGEST_LINE) return [line];
  return Array.from({ length: Math.ceil(line.length / LONGEST_LINE) }, (_, at) =>
    line.slice(at * LONGEST_LINE, (at + 1) * LONGEST_LINE),
  );
}

/** Knows which lines were there already when a log is read again from its last moment on. */
export class Seen implements Known {
  #last = '';
  #sameMoment = 0;
  #toSkip = 0;

  /** Where to go on. */
  get since(): string | null {
    return this.#last === '' ? null : this.#last;
  }

  /** The log is read again. */
  again(): void {
    this.#toSkip = this.#sameMoment;
  }

  /** Those that are new. */
  fresh(raws: readonly string[]): string[] {
    return raws.filter((raw) => this.#isFresh(parted(raw).at));
  }

  #isFresh(at: string): boolean {
    if (at === '') return true;
    if (at < this.#last) return false;
    if (at === this.#last && this.#toSkip > 0) {
      this.#toSkip -= 1;
      return false;
    }
    this.#sameMoment = at === this.#last ? this.#sameMoment + 1 : 1;
    if (at > this.#last) this.#toSkip = 0;
    this.#last = at;
    return true;
  }
}

/** What of a log has come already. */
export interface Known {
  readonly since: string | null;
  again(): void;
  fresh(raws: readonly string[]): string[];
}

/** Clocks of hosts differ: so far back are the logs of several asked for again. */
const OVERLAP_MS = 60_000;

/** The same of the logs of several containers as one, each line behind the name of its container. */
export class SeenOfMany implements Known {
  readonly #of = new Map<string, Seen>();
  #newest = '';

  get since(): string | null {
    const newest = Date.parse(this.#newest);
    return Number.isNaN(newest) ? null : new Date(newest - OVERLAP_MS).toISOString();
  }

  again(): void {
    for (const seen of this.#of.values()) seen.again();
  }

  /** Lines about a log are always new. */
  fresh(raws: readonly string[]): string[] {
    return raws.filter((line) => {
      const { name, raw } = named(line);
      if (name === '#') return true;
      const seen = this.#of.get(name) ?? new Seen();
      this.#of.set(name, seen);
      const { at } = parted(raw);
      if (at > this.#newest) this.#newest = at;
      return seen.fresh([raw]).length > 0;
    });
  }
}

/** A line of the logs of several containers: whose it is, and the rest. `#` is about a log. */
export function named(line: string): { name: string; raw: string } {
  const space = line.indexOf(' ');
  return space < 0 ? { name: '#', raw: line } : { name: line.slice(0, space), raw: line.slice(space + 1) };
}

export class LogSource {
  state: SourceState = { phase: 'loading' };
  readonly #ports: SourcePorts;
  readonly #tail: number;
  readonly #seen: Known;
  #stop: AbortController | null = null;
  #hurry: AbortController | null = null;

  constructor(ports: SourcePorts, tail: number, seen: Known = new Seen()) {
    this.#ports = ports;
    this.#tail = tail;
    this.#seen = seen;
  }

  start(): void {
    if (this.#stop) return;
    const stop = new AbortController();
    this.#stop = stop;
    void this.#run(stop.signal).finally(() => {
      if (this.#stop === stop) this.#stop = null;
    });
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#set({ phase: 'stopped' });
  }

  /** There may be more now: the container was started, or the network is back. */
  wake(): void {
    if (this.state.phase === 'cut') this.#hurry?.abort();
    else if (this.state.phase === 'ended') this.start();
  }

  #set(state: SourceState): void {
    this.state = state;
    this.#ports.changed();
  }

  async #run(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      let hasCome = false;
      try {
        const goneSince = await this.#read(signal, () => {
          if (!hasCome) wait = FIRST_WAIT_MS;
          hasCome = true;
        });
        if (signal.aborted) return;
        return this.#set({ phase: 'ended', goneSince });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LogRefused) return this.#set({ phase: 'refused', message: error.message });
      }
      if (hasCome) this.#ports.broke();
      this.#set({ phase: 'cut' });
      await this.#pause(wait, signal);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    this.#hurry = new AbortController();
    await this.#ports.wait(ms, AbortSignal.any([signal, this.#hurry.signal]));
    this.#hurry = null;
  }

  /** One request, to its end. Answers since when the container is gone. */
  async #read(signal: AbortSignal, came: () => void): Promise<string | null> {
    const since = this.#seen.since;
    const { body, goneSince } = await this.#ports.fetch({ tail: since ? null : this.#tail, since }, signal);
    if (signal.aborted) return null;
    this.#seen.again();
    if (!goneSince) this.#set({ phase: 'following' });
    came();
    const decoder = new TextDecoder();
    const lines = new Lines();
    for await (const bytes of body) {
      if (signal.aborted) return null;
      this.#give(lines.take(decoder.decode(bytes, { stream: true })));
    }
    this.#give([...lines.take(decoder.decode()), ...lines.end()]);
    return goneSince;
  }

  #give(raws: readonly string[]): void {
    const fresh = this.#seen.fresh(raws);
    if (fresh.length > 0) this.#ports.lines(fresh);
  }
}
