/** What hosts and containers use now: one stream for whoever looks, closed when nobody does. */
import { ApiError } from '../../lib/api';
import { connection } from '../../lib/live.svelte';
import { whileSeen } from '../../lib/seen';
import { follow } from '../../lib/stream';
import type { UsageLike } from './model';

/** Of a container, what it uses. */
export interface ContainerUsage {
  id: string;
  engine: string;
  cpu_cores: number;
  memory_bytes: number;
}

interface Told {
  engines: UsageLike[];
  containers: ContainerUsage[];
}

const WAIT_MS = 5_000;

/** The figures of all hosts, or those of one host with its containers. */
class Figures {
  engines = $state.raw<readonly UsageLike[]>([]);
  containers = $state.raw<ReadonlyMap<string, ContainerUsage>>(new Map());
  /** When they came, in milliseconds since 1970; 0 for never. */
  at = $state(0);

  #engine: string | undefined;
  #users = 0;
  #end: (() => void) | undefined;

  constructor(engine: string | undefined) {
    this.#engine = engine;
  }

  use(): () => void {
    this.#users += 1;
    if (this.#users === 1) this.#end = whileSeen((signal) => this.#run(signal));
    return () => {
      this.#users -= 1;
      if (this.#users === 0) this.#end?.();
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const query = this.#engine === undefined ? {} : { engine: this.#engine };
        await follow('/api/stats/stream', { event: ({ type, data }) => this.#take(type, data) }, { signal, query });
      } catch (error) {
        // A controller without figures, or an account that may not see them, will not change its mind.
        if (error instanceof ApiError && !error.isOffline && error.status < 500 && error.status !== 429) return;
      }
      if (!signal.aborted) await pause(signal);
    }
  }

  #take(type: string, data: string): void {
    if (type !== 'stats') return;
    const told = JSON.parse(data) as Told;
    this.engines = told.engines;
    this.containers = new Map(told.containers.map((one) => [one.id, one]));
    this.at = Date.now();
  }
}

/** Waits a while, or until the connection is back. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      close();
      signal.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, WAIT_MS);
    const close = connection.opened(end);
    signal.addEventListener('abort', end);
  });
}

const known = new Map<string, Figures>();

/** The figures for as long as the calling component is there; of one host, if it is named. */
export function figures(
  engine: () => string | undefined = () => undefined,
): Pick<Figures, 'engines' | 'containers' | 'at'> {
  const current = $derived.by(() => {
    const name = engine() ?? '';
    const found = known.get(name) ?? new Figures(name === '' ? undefined : name);
    known.set(name, found);
    return found;
  });
  $effect(() => current.use());
  return {
    get engines() {
      return current.engines;
    },
    get containers() {
      return current.containers;
    },
    get at() {
      return current.at;
    },
  };
}
