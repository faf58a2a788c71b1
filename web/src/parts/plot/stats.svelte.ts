/** Live figures of containers and hosts: their history, then one stream for all that are looked at. */

import { ApiError, request } from '../../lib/api';
import { whileSeen } from '../../lib/seen';
import { follow } from '../../lib/stream';
import { Figures, type Point, type Series } from './figures';

/** What figures are of. */
export interface Subject {
  kind: 'container' | 'engine';
  id: string;
  name: string;
}

interface Measured extends Omit<Point, 'at'> {
  id: string;
  memory_limit?: number;
}

/** What `/api/stats` answers, and each event of its stream. */
interface Snapshot {
  at: string;
  engines: readonly Measured[];
  containers: readonly Measured[];
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

export class Stats {
  /** Rises with every figure. */
  version = $state(0);
  /** Whether the stream is there; without it figures stand still. */
  isLive = $state(false);
  error = $state.raw<ApiError | null>(null);
  readonly #subjects: readonly Subject[];
  readonly #figures: readonly Figures[];
  #limits: (number | undefined)[];

  constructor(subjects: readonly Subject[]) {
    this.#subjects = subjects;
    this.#figures = subjects.map(() => new Figures());
    this.#limits = subjects.map(() => undefined);
  }

  /** Follows until the answer is called. */
  start(): () => void {
    return whileSeen((signal) => this.#run(signal));
  }

  figures(at: number): Figures | undefined {
    void this.version;
    return this.#figures[at];
  }

  /** The most memory that it may have, in bytes, if it is known. */
  limit(at: number): number | undefined {
    void this.version;
    return this.#limits[at];
  }

  async #run(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        await this.#restore(signal);
        await follow(
          '/api/stats/stream',
          this.#listener(() => (wait = FIRST_WAIT_MS)),
          { signal, query: this.#query() },
        );
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError) this.error = error;
        if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) return;
      }
      this.isLive = false;
      if (signal.aborted) return;
      await new Promise((done) => setTimeout(done, wait));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  /** The filter of the stream: one subject, or all. */
  #query(): Record<string, string> {
    const [only, ...others] = this.#subjects;
    return only && others.length === 0 ? { [only.kind]: only.id } : {};
  }

  async #restore(signal: AbortSignal): Promise<void> {
    const one = async ({ kind, id }: Subject, at: number) => {
      const query = { [kind]: id };
      const { series } = await request<{ series: Series[] }>('get', '/api/stats/history', { query, signal });
      this.#figures[at]?.restore(series);
    };
    // One that has no history yet is no reason to show none of the others.
    const results = await Promise.allSettled(this.#subjects.map(one));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed && results.every((result) => result.status === 'rejected')) throw failed.reason;
    this.error = null;
    this.version += 1;
  }

  #listener(opened: () => void) {
    return {
      open: () => {
        opened();
        this.isLive = true;
      },
      event: ({ type, data }: { type: string; data: string }) => {
        if (type === 'stats') this.#take(JSON.parse(data) as Snapshot);
      },
    };
  }

  #take({ at, engines, containers }: Snapshot): void {
    for (const [index, { kind, id }] of this.#subjects.entries()) {
      const measured = (kind === 'engine' ? engines : containers).find((one) => one.id === id);
      if (!measured) continue;
      this.#figures[index]?.add({ ...measured, at });
      this.#limits[index] = measured.memory_limit;
    }
    this.version += 1;
  }
}
