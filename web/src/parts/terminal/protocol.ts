/** The messages and frames of `pierhead.terminal.v1` as a browser sends and gets them. Keeps no state. */

export const SUBPROTOCOL = 'pierhead.terminal.v1';

export type Role = 'driver' | 'viewer';
export type ViewerId = string;

/** Somebody who is in the terminal with one window. */
export interface Viewer {
  id: ViewerId;
  username: string;
  role: Role;
  /** Since when, in milliseconds since 1970. */
  since: number;
}

export type ClientMessage =
  | {
      type: 'attach';
      /** The next offset that is lacking, of output and of errors. */
      from: number | null;
      stderr_from?: number;
      columns: number;
      rows: number;
      /** Who we were before the line broke: we take that place again. */
      was?: ViewerId;
      /** We come to look: we take no seat that is free. */
      looks?: true;
    }
  | { type: 'ack'; offset: number }
  | { type: 'resize'; columns: number; rows: number }
  | { type: 'visible'; is: boolean }
  | { type: 'drive' }
  | { type: 'hand_over'; to: ViewerId }
  | { type: 'release' }
  | { type: 'ping'; id: number };

export type ServerMessage =
  | {
      type: 'hello';
      terminal: string;
      you: ViewerId;
      role: Role;
      columns: number;
      rows: number;
      /** The end of the log now. */
      offset: number;
      driver: ViewerId | null;
      viewers: Viewer[];
    }
  | { type: 'snapshot'; offset: number; columns: number; rows: number; data: string }
  | { type: 'presence'; driver: ViewerId | null; viewers: Viewer[] }
  | { type: 'size'; columns: number; rows: number }
  | { type: 'asks'; viewer: ViewerId; username: string }
  | { type: 'stderr'; offset: number; data: string }
  | { type: 'exit'; code: number | null; reason: string }
  | { type: 'error'; code: string; message: string }
  | { type: 'pong'; id: number };

/** What each message must have, by the kind of its value. */
const SHAPES: Record<ServerMessage['type'], Record<string, 'number' | 'string' | 'viewers'>> = {
  hello: { you: 'string', role: 'string', columns: 'number', rows: 'number', offset: 'number', viewers: 'viewers' },
  snapshot: { offset: 'number', columns: 'number', rows: 'number', data: 'string' },
  presence: { viewers: 'viewers' },
  size: { columns: 'number', rows: 'number' },
  asks: { viewer: 'string', username: 'string' },
  stderr: { offset: 'number', data: 'string' },
  exit: {},
  error: { code: 'string', message: 'string' },
  pong: { id: 'number' },
};

function fits(value: unknown, kind: string): boolean {
  if (kind === 'viewers') return Array.isArray(value);
  return typeof value === kind;
}

/** A message of the server; null for one that is unknown or has not its form, which is passed over. */
export function readMessage(text: string): ServerMessage | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null) return null;
  const fields = found as Record<string, unknown>;
  const type = String(fields.type);
  if (!Object.hasOwn(SHAPES, type)) return null;
  const shape = SHAPES[type as ServerMessage['type']];
  const isWhole = Object.entries(shape).every(([name, kind]) => fits(fields[name], kind));
  return isWhole ? (found as ServerMessage) : null;
}

export interface Output {
  /** Where the first byte stands in the terminal's log. */
  offset: number;
  bytes: Uint8Array;
}

const OFFSET_BYTES = 8;

/** A binary frame of the server: an offset as u64, then bytes; null for a frame that has no offset. */
export function readOutput(frame: ArrayBuffer): Output | null {
  if (frame.byteLength < OFFSET_BYTES) return null;
  // No log gets as far as 2^53 bytes, so a plain number holds every offset.
  const offset = Number(new DataView(frame).getBigUint64(0));
  return { offset, bytes: new Uint8Array(frame, OFFSET_BYTES) };
}

/** The same, made: for a server in tests. */
export function writeOutput(offset: number, bytes: Uint8Array): ArrayBuffer {
  const frame = new Uint8Array(OFFSET_BYTES + bytes.length);
  new DataView(frame.buffer).setBigUint64(0, BigInt(offset));
  frame.set(bytes, OFFSET_BYTES);
  return frame.buffer;
}
