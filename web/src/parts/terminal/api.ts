/** The routes of terminals, and the socket of one. */

import { address, ApiError, post, request } from '../../lib/api';
import type { Source } from '../../lib/live.svelte';
import type { Guest } from '../guests';
import { Refused, type Socket, type SocketEvents } from './link';
import { SUBPROTOCOL, type Role } from './protocol';

/** A terminal as the API lists it. */
export interface TerminalRecord {
  id: string;
  container: string;
  engine: string;
  app?: string | null;
  owner: string;
  name: string;
  command: readonly string[];
  columns: number;
  rows: number;
  /** What holds its pseudo-terminal: an agent's survives the controller, a controller's does not. */
  home: 'agent' | 'controller';
  state: 'running' | 'ended';
  exit_code?: number | null;
  /** Why it ended; absent where the program just exited. */
  reason?: string | null;
  created_at: string;
  /** What whoever asks may do in it. */
  right: 'owner' | 'driver' | 'viewer';
  viewers: readonly { id: string; username: string; role: Role; since: string }[];
  guests: readonly Guest[];
}

export interface Wish {
  command?: string[];
  columns: number;
  rows: number;
  user?: string;
  working_dir?: string;
  name?: string;
}

const one = '/api/terminals/{id}';
const guest = '/api/terminals/{id}/guests/{username}';

/** All terminals that whoever is logged in may join. */
export const everyTerminal: Source<TerminalRecord[]> = {
  key: '/api/terminals',
  load: (signal) => request('get', '/api/terminals', { signal }),
  wakeOn: (event) => event.type.includes('terminal'),
};

export function showTerminal(id: string): Promise<TerminalRecord> {
  return request('get', one, { path: { id } });
}

export function openTerminal(container: string, wish: Wish): Promise<TerminalRecord> {
  return request('post', '/api/containers/{id}/terminals', { path: { id: container }, body: wish });
}

export function endTerminal(id: string): Promise<void> {
  return request('delete', one, { path: { id } });
}

export function share(id: string, { username, role }: Guest): Promise<unknown> {
  return request('put', guest, { path: { id, username }, body: { role } });
}

export function unshare(id: string, username: string): Promise<void> {
  return request('delete', guest, { path: { id, username } });
}

/** Where the recording of a terminal is to be had. */
export function recording(id: string): string {
  return address(`/api/terminals/${encodeURIComponent(id)}/recording`).href;
}

/** Whether another try may go better: the server is not to be reached, or has too much to do. */
function isPassing(error: ApiError): boolean {
  return error.status === 0 || error.status >= 500 || error.status === 408 || error.status === 429;
}

/** Opens a terminal's socket by a ticket; `known` hears what it is like now. */
export async function openSocket(
  id: string,
  events: SocketEvents,
  known: (terminal: TerminalRecord) => void,
): Promise<Socket> {
  const path = `/api/terminals/${encodeURIComponent(id)}/socket`;
  try {
    // A socket that is refused does not say why: so it is asked beside it.
    const [terminal, { ticket }] = await Promise.all([
      showTerminal(id),
      post('/api/tickets', { body: { resource: path } }) as Promise<{ ticket: string }>,
    ]);
    known(terminal);
    return connect(address(path, { ticket }), terminal, events);
  } catch (error) {
    if (error instanceof ApiError && !isPassing(error)) throw new Refused(error.code, error.message);
    throw error;
  }
}

function connect(url: URL, terminal: TerminalRecord, events: SocketEvents): Socket {
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  let isOpen = false;
  socket.onopen = () => {
    isOpen = true;
    events.opened();
  };
  socket.onclose = () => {
    // One that ended long ago has no socket any more, but it is known how it ended.
    if (!isOpen && terminal.state === 'ended') events.text(ending(terminal));
    events.closed();
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data === 'string') events.text(data);
    else events.binary(data);
  };
  return {
    send: (data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data as string | Uint8Array<ArrayBuffer>);
    },
    close: () => socket.close(),
  };
}

/** The end of a terminal as its socket would tell it. */
function ending({ exit_code, reason }: TerminalRecord): string {
  return JSON.stringify({ type: 'exit', code: exit_code ?? null, reason: reason ?? '' });
}
