/** One socket for a whole wall: who is on it, and small pictures of the terminals that can be seen. */

import { SvelteMap } from 'svelte/reactivity';
import { address, ApiError, post, type Schemas } from '../../lib/api';
import { whileSeen } from '../../lib/seen';
import { changed, type Picture, type PictureChange } from './picture';

export type Person = Schemas['WallPersonView'];

/** Whom a wall is about: all that one may watch, or fewer. */
export interface About {
  environment?: string | undefined;
  course?: string | undefined;
  lab?: string | undefined;
}

type Said =
  | { type: 'people'; order: readonly string[]; people: readonly Person[] }
  | { type: 'pictures'; pictures: readonly PictureChange[] };

const SUBPROTOCOL = 'pierhead.wall.v1';
const PATH = '/api/wall/socket';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** What comes into sight while one scrolls is asked for together. */
const TOGETHER_MS = 120;

export class Feed {
  /** Who is on it, who seems stuck first; undefined until it is known. */
  people = $state.raw<readonly Person[] | undefined>(undefined);
  /** Whether what is shown is what is there. */
  isLive = $state(false);
  /** Why it is not to be had, if that will not pass. */
  error = $state.raw<ApiError | undefined>(undefined);
  readonly pictures = new SvelteMap<string, Picture>();

  #known = new Map<string, Person>();
  #seen = new Set<string>();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #about: About;

  constructor(about: About) {
    this.#about = about;
  }

  /** Follows the wall while the page is seen; answers how to end that. */
  start(): () => void {
    return whileSeen((signal) => this.#follow(signal));
  }

  /** A terminal comes into sight; answers how it goes out of it. */
  see(terminal: string): () => void {
    this.#seen.add(terminal);
    this.#ask();
    return () => {
      this.#seen.delete(terminal);
      this.pictures.delete(terminal);
      this.#ask();
    };
  }

  #ask(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#say();
    }, TOGETHER_MS);
  }

  #say(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type: 'show', terminals: [...this.#seen] }));
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        if (await this.#once(signal)) wait = FIRST_WAIT_MS;
      } catch (error) {
        if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
          this.error = error;
          return;
        }
      }
      this.isLive = false;
      await new Promise((done) => setTimeout(done, wait));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  /** One connection, to its end; whether anything was heard. */
  async #once(signal: AbortSignal): Promise<boolean> {
    const { ticket } = (await post('/api/tickets', { body: { resource: PATH } })) as { ticket: string };
    if (signal.aborted) return false;
    const given = Object.entries(this.#about).filter(([, value]) => value);
    const url = address(PATH, { ...Object.fromEntries(given), ticket });
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket = socket;
    let heard = false;
    const end = () => socket.close();
    signal.addEventListener('abort', end);
    await new Promise<void>((done) => {
      socket.onopen = () => this.#say();
      socket.onclose = () => done();
      socket.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (typeof data !== 'string') return;
        heard = true;
        this.isLive = true;
        this.#take(JSON.parse(data) as Said);
      };
    });
    signal.removeEventListener('abort', end);
    return heard;
  }

  #take(said: Said): void {
    if (said.type === 'people') {
      for (const person of said.people) this.#known.set(person.workspace, person);
      const there = said.order.flatMap((id) => this.#known.get(id) ?? []);
      this.#known = new Map(there.map((person) => [person.workspace, person]));
      this.people = there;
      return;
    }
    for (const change of said.pictures) {
      if (change.over) this.pictures.delete(change.terminal);
      else if (this.#seen.has(change.terminal)) {
        this.pictures.set(change.terminal, changed(this.pictures.get(change.terminal), change));
      }
    }
  }
}
