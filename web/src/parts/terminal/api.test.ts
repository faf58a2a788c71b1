import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openSocket, recording, type TerminalRecord } from './api';
import { Refused, type SocketEvents } from './link';
import { settle } from './pretended';

const terminal = { id: 't 1', state: 'running', container: 'c', engine: 'h1' } as TerminalRecord;

/** A socket that does what it is told to. */
class Wire {
  static last: Wire | null = null;
  static readonly OPEN = 1;
  readyState = 0;
  binaryType = '';
  sent: unknown[] = [];
  onopen = () => {};
  onclose = () => {};
  onmessage: (message: { data: unknown }) => void = () => {};
  readonly url: string;
  readonly protocol: string;

  constructor(url: URL | string, protocol: string) {
    this.url = String(url);
    this.protocol = protocol;
    Wire.last = this;
  }

  open() {
    this.readyState = Wire.OPEN;
    this.onopen();
  }

  send(data: unknown) {
    this.sent.push(data);
  }

  close() {
    this.readyState = 3;
    this.onclose();
  }
}

let answers: Record<string, () => Response | Promise<Response>>;
let asked: { path: string; body: unknown }[];

beforeEach(() => {
  asked = [];
  answers = {
    '/p/api/terminals/t%201': () => Response.json(terminal),
    '/p/api/tickets': () => Response.json({ ticket: 'once', expires: '' }, { status: 201 }),
  };
  vi.stubGlobal('document', { baseURI: 'https://pool.example/p/' });
  vi.stubGlobal('WebSocket', Wire);
  vi.stubGlobal('fetch', async (url: URL, init: RequestInit) => {
    asked.push({ path: url.pathname, body: init.body ? JSON.parse(String(init.body)) : undefined });
    return (answers[url.pathname] as () => Response)();
  });
});
afterEach(() => void vi.unstubAllGlobals());

function events() {
  const heard: unknown[] = [];
  const sink: SocketEvents = {
    opened: () => heard.push('opened'),
    text: (data) => heard.push(JSON.parse(data)),
    binary: (data) => heard.push(data.byteLength),
    closed: () => heard.push('closed'),
  };
  return { heard, sink };
}

const wire = () => {
  if (!Wire.last) throw new Error('no socket');
  return Wire.last;
};

test('a socket is opened by a ticket for it, below the prefix, and carries both ways', async () => {
  const { heard, sink } = events();
  const known = vi.fn();
  const socket = await openSocket('t 1', sink, known);
  expect(asked).toContainEqual({ path: '/p/api/tickets', body: { resource: '/api/terminals/t%201/socket' } });
  expect(known).toHaveBeenCalledWith(terminal);
  expect(wire()).toMatchObject({
    url: 'wss://pool.example/p/api/terminals/t%201/socket?ticket=once',
    protocol: 'pierhead.terminal.v1',
    binaryType: 'arraybuffer',
  });
  socket.send('too early');
  wire().open();
  socket.send('{}');
  wire().onmessage({ data: '{"type":"pong","id":1}' });
  wire().onmessage({ data: new ArrayBuffer(9) });
  socket.close();
  expect(wire().sent).toEqual(['{}']);
  expect(heard).toEqual(['opened', { type: 'pong', id: 1 }, 9, 'closed']);
});

test('one that ended long ago says how, since it has no socket any more', async () => {
  const ended = { ...terminal, state: 'ended', exit_code: null, reason: 'the controller was stopped' };
  answers['/p/api/terminals/t%201'] = () => Response.json(ended);
  const { heard, sink } = events();
  await openSocket('t 1', sink, () => {});
  wire().close();
  expect(heard).toEqual([{ type: 'exit', code: null, reason: 'the controller was stopped' }, 'closed']);
});

test("one that runs and can't be reached is tried again", async () => {
  const { heard, sink } = events();
  await openSocket('t 1', sink, () => {});
  wire().close();
  expect(heard).toEqual(['closed']);
});

test.each([
  [404, true],
  [403, true],
  [429, false],
  [503, false],
])('an answer of %s is final: %s', async (status, isFinal) => {
  const body = { code: 'some_code', message: 'no' };
  answers['/p/api/terminals/t%201'] = () => Response.json(body, { status });
  const failure = await openSocket('t 1', events().sink, () => {}).catch((error: unknown) => error);
  await settle();
  expect(failure instanceof Refused).toBe(isFinal);
  expect(failure).toMatchObject({ code: 'some_code' });
});

test('a controller that does not answer is tried again', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
  const failure = await openSocket('t 1', events().sink, () => {}).catch((error: unknown) => error);
  expect(failure instanceof Refused).toBe(false);
});

test('a recording has an address of its own', () => {
  expect(recording('t 1')).toBe('https://pool.example/p/api/terminals/t%201/recording');
});
