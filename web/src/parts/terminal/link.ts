/**
 * One window's connection to a shared terminal: attaches, resumes where it was cut off, acknowledges what was drawn,
 * and knows who else is there. It draws nothing itself and knows no browser: sockets, timers and the screen are given.
 */

import {
  readMessage,
  readOutput,
  type ClientMessage,
  type Role,
  type ServerMessage,
  type Viewer,
  type ViewerId,
} from './protocol';

export interface Socket {
  send(data: string | Uint8Array): void;
  close(): void;
}

/** What a socket tells. After `closed` it tells nothing more. */
export interface SocketEvents {
  opened(): void;
  text(data: string): void;
  binary(data: ArrayBuffer): void;
  closed(): void;
}

/** Where output is drawn. Everything takes effect in the order of the calls. */
export interface Screen {
  /** `drawn` is called when the bytes were taken up by the screen. */
  write(data: Uint8Array | string, drawn: () => void): void;
  clear(): void;
  resize(columns: number, rows: number): void;
}

/** A refusal that another try would not change. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Ports {
  /** Opens a socket; fails with `Refused` if trying again is of no use. */
  connect(events: SocketEvents): Promise<Socket>;
  screen: Screen;
  /** Whether we come to look, and not to work. */
  looks?: boolean;
  /** A new value of `state` is there. */
  changed(): void;
  /** What went wrong with one message of ours, such as input of somebody who does not drive. */
  complained(code: string, message: string): void;
  setTimer(ms: number, action: () => void): unknown;
  clearTimer(timer: unknown): void;
  now(): number;
  /** 0 up to 1. */
  random(): number;
}

export type Phase =
  /** A socket is being opened. */
  | 'connecting'
  /** Attached. */
  | 'open'
  /** Cut off; another try comes at `nextTryAt`. */
  | 'cut'
  /** What ran in it has ended. */
  | 'ended'
  /** It will not be shown here: gone, or not allowed. */
  | 'refused'
  /** Closed by us. */
  | 'closed';

export interface LinkState {
  phase: Phase;
  role: Role;
  you: ViewerId | null;
  driver: ViewerId | null;
  viewers: readonly Viewer[];
  columns: number;
  rows: number;
  /** Who asks to drive. */
  asking: readonly { viewer: ViewerId; username: string }[];
  /** Whether we asked, and nobody has answered. */
  hasAsked: boolean;
  exit: { code: number | null; reason: string } | null;
  refusal: { code: string; message: string } | null;
  /** Milliseconds since 1970. */
  nextTryAt: number;
  /** How often it was cut off. */
  cuts: number;
}

/** Sent at the latest when so much was drawn and not told. */
const ACK_BYTES = 32 * 1024;
const ACK_MS = 200;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 8_000;
const PING_MS = 10_000;
/** Without any answer for so long after a ping the connection counts as lost. */
const PONG_MS = 8_000;
/** Input goes in pieces of at most so many bytes, so that other messages get in between. */
const INPUT_BYTES = 32 * 1024;
/** Errors after which the server ends the connection for good. */
const FINAL = new Set(['replaced', 'revoked', 'removed']);

export class TerminalLink {
  #state: LinkState;
  readonly #ports: Ports;
  #socket: Socket | null = null;
  /** Rises with every socket, so that what an older one tells late is passed over. */
  #turn = 0;
  #tries = 0;
  /** The next offset that is lacking; null before the first byte. */
  #from: number | null;
  #stderrFrom = 0;
  /** The end of the log when we came: what is before it was answered long ago, whatever it asks of a screen. */
  #replayed = 0;
  #drawn = 0;
  #acked = 0;
  #ackTimer: unknown = null;
  #pingTimer: unknown = null;
  #retryTimer: unknown = null;
  #pings = 0;
  #isVisible = true;
  /** The size that this window has room for. */
  #room: { columns: number; rows: number };

  constructor(ports: Ports, room: { columns: number; rows: number }, from: number | null = null) {
    this.#ports = ports;
    this.#room = room;
    this.#from = from;
    this.#state = {
      phase: 'connecting',
      role: 'viewer',
      you: null,
      driver: null,
      viewers: [],
      columns: room.columns,
      rows: room.rows,
      asking: [],
      hasAsked: false,
      exit: null,
      refusal: null,
      nextTryAt: 0,
      cuts: 0,
    };
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The next offset of the log that this window lacks, if it has any. */
  get offset(): number | null {
    return this.#from;
  }

  /** Up to where the log is on the screen. */
  get drawn(): number {
    return this.#drawn;
  }

  /** Whether what is drawn now was printed before we came. */
  get isReplaying(): boolean {
    return this.#drawn < this.#replayed;
  }

  open(): void {
    void this.#connect();
  }

  close(): void {
    if (this.#state.phase === 'closed') return;
    this.#drop();
    this.#set({ phase: 'closed' });
  }

  /** Tries to connect at once instead of when it is due. */
  hurry(): void {
    if (this.#state.phase !== 'cut') return;
    this.#tries = 0;
    void this.#connect();
  }

  /** Types. Answers whether it was sent. */
  type(bytes: Uint8Array): boolean {
    if (this.#state.phase !== 'open' || this.#state.role !== 'driver') return false;
    for (let at = 0; at < bytes.length; at += INPUT_BYTES) this.#socket?.send(bytes.subarray(at, at + INPUT_BYTES));
    return true;
  }

  /** This window has room for so much: the terminal's size follows if we drive. */
  fit(columns: number, rows: number): void {
    this.#room = { columns, rows };
    const { phase, role } = this.#state;
    if (phase !== 'open' || role !== 'driver') return;
    if (columns !== this.#state.columns || rows !== this.#state.rows) this.#send({ type: 'resize', columns, rows });
  }

  /** Somebody looks at this window, or does not. */
  show(is: boolean): void {
    if (is === this.#isVisible) return;
    this.#isVisible = is;
    this.#send({ type: 'visible', is });
  }

  /** Takes the keyboard if nobody has it, else asks for it. */
  drive(): void {
    this.#send({ type: 'drive' });
    if (this.#state.driver !== null) this.#set({ hasAsked: true });
  }

  handOver(to: ViewerId): void {
    this.#send({ type: 'hand_over', to });
    this.dismiss(to);
  }

  release(): void {
    this.#send({ type: 'release' });
  }

  /** Leaves somebody's question to drive without an answer. */
  dismiss(viewer: ViewerId): void {
    this.#set({ asking: this.#state.asking.filter((one) => one.viewer !== viewer) });
  }

  #set(change: Partial<LinkState>): void {
    this.#state = { ...this.#state, ...change };
    this.#ports.changed();
  }

  #send(message: ClientMessage): void {
    if (this.#state.phase === 'open') this.#socket?.send(JSON.stringify(message));
  }

  async #connect(): Promise<void> {
    this.#drop();
    const turn = this.#turn;
    const mine = (act: () => void) => () => {
      if (turn === this.#turn) act();
    };
    this.#set({ phase: 'connecting' });
    const events: SocketEvents = {
      opened: mine(() => this.#attach()),
      text: (data) => mine(() => this.#hear(data))(),
      binary: (data) => mine(() => this.#output(data))(),
      closed: mine(() => this.#cut()),
    };
    try {
      const socket = await this.#ports.connect(events);
      if (turn === this.#turn) this.#socket = socket;
      else socket.close();
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof Refused) this.#refuse(error.code, error.message);
      else this.#cut();
    }
  }

  /** Forgets the socket of the moment and its timers. */
  #drop(): void {
    this.#turn += 1;
    for (const timer of [this.#ackTimer, this.#pingTimer, this.#retryTimer]) {
      if (timer !== null) this.#ports.clearTimer(timer);
    }
    this.#ackTimer = this.#pingTimer = this.#retryTimer = null;
    this.#socket?.close();
    this.#socket = null;
  }

  #refuse(code: string, message: string): void {
    this.#drop();
    this.#set({ phase: 'refused', refusal: { code, message } });
  }

  #cut(): void {
    this.#drop();
    if (this.#state.phase === 'ended') return;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries);
    // Everybody who was cut off at once should not come back at once.
    const wait = longest * (0.5 + this.#ports.random() / 2);
    this.#tries += 1;
    this.#set({
      phase: 'cut',
      cuts: this.#state.cuts + (this.#state.phase === 'open' ? 1 : 0),
      nextTryAt: this.#ports.now() + wait,
      asking: [],
      hasAsked: false,
    });
    this.#retryTimer = this.#ports.setTimer(wait, () => void this.#connect());
  }

  #attach(): void {
    const { columns, rows } = this.#room;
    const attach: ClientMessage = { type: 'attach', from: this.#from, columns, rows };
    if (this.#stderrFrom > 0) attach.stderr_from = this.#stderrFrom;
    if (this.#state.you !== null) attach.was = this.#state.you;
    if (this.#ports.looks) attach.looks = true;
    this.#socket?.send(JSON.stringify(attach));
  }

  #hear(text: string): void {
    const message = readMessage(text);
    if (!message) return;
    switch (message.type) {
      case 'hello':
        return this.#welcome(message);
      case 'snapshot':
        return this.#snapshot(message);
      case 'presence':
        return this.#presence(message.driver, message.viewers);
      case 'size':
        return this.#resized(message.columns, message.rows);
      case 'asks': {
        const others = this.#state.asking.filter((one) => one.viewer !== message.viewer);
        return this.#set({ asking: [...others, { viewer: message.viewer, username: message.username }] });
      }
      case 'stderr':
        return this.#errors(message.offset, fromBase64(message.data));
      case 'exit':
        this.#set({ phase: 'ended', exit: { code: message.code ?? null, reason: message.reason ?? '' } });
        return this.#drop();
      case 'error':
        if (FINAL.has(message.code)) return this.#refuse(message.code, message.message);
        return this.#ports.complained(message.code, message.message);
      case 'pong':
        return this.#awaitPing();
    }
  }

  #welcome(hello: Extract<ServerMessage, { type: 'hello' }>): void {
    this.#tries = 0;
    this.#replayed = hello.offset;
    this.#acked = this.#drawn = Math.max(this.#drawn, this.#from ?? 0);
    this.#set({ phase: 'open', you: hello.you, refusal: null });
    this.#resized(hello.columns, hello.rows);
    this.#presence(hello.driver ?? null, hello.viewers);
    if (!this.#isVisible) this.#send({ type: 'visible', is: false });
    this.#awaitPing();
  }

  #presence(driver: ViewerId | null, viewers: readonly Viewer[]): void {
    const role: Role = driver !== null && driver === this.#state.you ? 'driver' : 'viewer';
    const wasViewer = this.#state.role === 'viewer';
    const here = new Set(viewers.map((viewer) => viewer.id));
    const asking = role === 'driver' ? this.#state.asking.filter((one) => here.has(one.viewer)) : [];
    this.#set({
      driver,
      viewers,
      role,
      asking,
      hasAsked: role === 'viewer' && this.#state.hasAsked && driver !== null,
    });
    if (role === 'driver' && wasViewer) this.fit(this.#room.columns, this.#room.rows);
  }

  #resized(columns: number, rows: number): void {
    this.#ports.screen.resize(columns, rows);
    this.#set({ columns, rows });
  }

  #snapshot({ offset, columns, rows, data }: Extract<ServerMessage, { type: 'snapshot' }>): void {
    this.#ports.screen.clear();
    this.#resized(columns, rows);
    this.#from = offset;
    this.#draw(data, offset);
  }

  #output(frame: ArrayBuffer): void {
    const output = readOutput(frame);
    if (!output) return;
    const from = this.#from ?? output.offset;
    // Something is missing: what was drawn stays, and the rest is asked for anew.
    if (output.offset > from) return this.#cut();
    const fresh = output.bytes.subarray(from - output.offset);
    if (fresh.length === 0) return;
    this.#from = from + fresh.length;
    this.#draw(fresh, this.#from);
  }

  #errors(offset: number, bytes: Uint8Array): void {
    const fresh = bytes.subarray(Math.max(0, this.#stderrFrom - offset));
    this.#stderrFrom = Math.max(this.#stderrFrom, offset + bytes.length);
    if (fresh.length > 0) this.#ports.screen.write(fresh, () => {});
  }

  #draw(data: Uint8Array | string, end: number): void {
    const turn = this.#turn;
    this.#ports.screen.write(data, () => {
      this.#drawn = Math.max(this.#drawn, end);
      if (turn === this.#turn) this.#acknowledge();
    });
  }

  #acknowledge(): void {
    const owed = this.#drawn - this.#acked;
    if (owed <= 0) return;
    if (owed >= ACK_BYTES) return this.#ack();
    this.#ackTimer ??= this.#ports.setTimer(ACK_MS, () => this.#ack());
  }

  #ack(): void {
    if (this.#ackTimer !== null) this.#ports.clearTimer(this.#ackTimer);
    this.#ackTimer = null;
    this.#acked = this.#drawn;
    this.#send({ type: 'ack', offset: this.#drawn });
  }

  /** Asks in a while whether the server is still there, and gives it time to answer. */
  #awaitPing(): void {
    if (this.#pingTimer !== null) this.#ports.clearTimer(this.#pingTimer);
    this.#pingTimer = this.#ports.setTimer(PING_MS, () => {
      this.#pings += 1;
      this.#send({ type: 'ping', id: this.#pings });
      this.#pingTimer = this.#ports.setTimer(PONG_MS, () => this.#cut());
    });
  }
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
