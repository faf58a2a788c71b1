/** A server, timers and a screen for tests of the link: small, and strict about the protocol. */

import type { ClientMessage, ServerMessage, Viewer } from './protocol';
import { writeOutput } from './protocol';
import type { Ports, Screen, Socket, SocketEvents } from './link';
import { Refused } from './link';

/** A clock that stands still until it is told otherwise. */
export class Timers {
  at = 0;
  #next = 1;
  #due = new Map<number, { at: number; action: () => void }>();

  set = (ms: number, action: () => void): number => {
    this.#due.set(this.#next, { at: this.at + ms, action });
    return this.#next++;
  };

  clear = (timer: unknown): void => {
    this.#due.delete(timer as number);
  };

  get count(): number {
    return this.#due.size;
  }

  /** Lets time pass; what falls due happens in order. */
  async pass(ms: number): Promise<void> {
    const until = this.at + ms;
    for (;;) {
      const first = [...this.#due].filter(([, one]) => one.at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!first) break;
      this.#due.delete(first[0]);
      this.at = first[1].at;
      first[1].action();
      await settle();
    }
    this.at = until;
  }
}

/** Lets promises that are due come to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

/** A screen that keeps what it was given; it draws at once, or when `flush` says so. */
export class Paper implements Screen {
  text = '';
  size = '';
  clears = 0;
  isSlow = false;
  #waiting: (() => void)[] = [];
  #decoder = new TextDecoder();

  write(data: Uint8Array | string, drawn: () => void): void {
    this.text += typeof data === 'string' ? data : this.#decoder.decode(data, { stream: true });
    if (this.isSlow) this.#waiting.push(drawn);
    else drawn();
  }

  clear(): void {
    this.text = '';
    this.clears += 1;
  }

  resize(columns: number, rows: number): void {
    this.size = `${columns}x${rows}`;
  }

  flush(): void {
    for (const drawn of this.#waiting.splice(0)) drawn();
  }
}

/** The server's end of one socket. */
export class Line implements Socket {
  readonly heard: ClientMessage[] = [];
  readonly typed: Uint8Array[] = [];
  isOpen = true;
  readonly #events: SocketEvents;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  send(data: string | Uint8Array): void {
    if (!this.isOpen) throw new Error('sent on a closed socket');
    if (typeof data === 'string') this.heard.push(JSON.parse(data) as ClientMessage);
    else this.typed.push(data.slice());
  }

  close(): void {
    this.isOpen = false;
  }

  open(): void {
    this.#events.opened();
  }

  /** The network is gone. */
  cut(): void {
    this.isOpen = false;
    this.#events.closed();
  }

  say(message: ServerMessage): void {
    this.#events.text(JSON.stringify(message));
  }

  mumble(text: string): void {
    this.#events.text(text);
  }

  print(offset: number, text: string): void {
    this.#events.binary(writeOutput(offset, new TextEncoder().encode(text)));
  }

  last<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }> | undefined {
    return this.heard.findLast((message) => message.type === type) as Extract<ClientMessage, { type: T }> | undefined;
  }
}

/** All that a link needs, pretended; each socket that it opens is one more of `lines`. */
export class World implements Ports {
  readonly timers = new Timers();
  readonly screen = new Paper();
  readonly lines: Line[] = [];
  readonly complaints: string[] = [];
  changes = 0;
  /** What the next tries to connect end in. */
  failures: (Error | Refused)[] = [];

  connect(events: SocketEvents): Promise<Socket> {
    const failure = this.failures.shift();
    if (failure) return Promise.reject(failure);
    const line = new Line(events);
    this.lines.push(line);
    return Promise.resolve(line);
  }

  changed(): void {
    this.changes += 1;
  }

  complained(code: string): void {
    this.complaints.push(code);
  }

  setTimer(ms: number, action: () => void): unknown {
    return this.timers.set(ms, action);
  }

  clearTimer(timer: unknown): void {
    this.timers.clear(timer);
  }

  now(): number {
    return this.timers.at;
  }

  random(): number {
    return 1;
  }

  get line(): Line {
    const line = this.lines.at(-1);
    if (!line) throw new Error('no socket was opened');
    return line;
  }
}

export function viewer(id: string, role: 'driver' | 'viewer' = 'viewer'): Viewer {
  return { id, username: `user-${id}`, role, since: 0 };
}

/** What a server says first. */
export function hello(you: string, driver: string | null, offset = 0): ServerMessage {
  const viewers = [...new Set([you, driver ?? you])].map((id) => viewer(id, id === driver ? 'driver' : 'viewer'));
  const role = you === driver ? 'driver' : 'viewer';
  return { type: 'hello', terminal: 't1', you, role, columns: 80, rows: 24, offset, driver, viewers };
}
