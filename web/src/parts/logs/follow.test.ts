import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LogFollow, mostSources } from './follow.svelte';

const stream = vi.hoisted(() => ({ listeners: new Set<(event: unknown) => void>() }));
vi.mock('../../lib/live.svelte', () => ({
  connection: {
    listen: (one: (event: unknown) => void) => {
      stream.listeners.add(one);
      return () => stream.listeners.delete(one);
    },
    opened: () => () => {},
  },
}));

const line = (second: number, text: string) => `2026-01-01T00:00:0${second}.000000000Z ${text}\n`;
let logs: Record<string, ((init: RequestInit) => Response)[]>;
let asked: URL[];

beforeEach(() => {
  asked = [];
  logs = {};
  stream.listeners.clear();
  vi.stubGlobal('document', {
    baseURI: 'https://pool.example/',
    visibilityState: 'visible',
    addEventListener: () => {},
    removeEventListener: () => {},
  });
  vi.stubGlobal('fetch', async (url: URL, init: RequestInit) => {
    asked.push(url);
    const answer = logs[url.pathname.split('/')[3] ?? '']?.shift();
    return answer ? answer(init) : Response.json({ code: 'not_found', message: 'there is none' }, { status: 404 });
  });
});
afterEach(() => void vi.unstubAllGlobals());

const whole =
  (text: string, headers = {}) =>
  () =>
    new Response(text, { headers });
const texts = (follow: LogFollow) => follow.lines.map((one) => one.gap ?? `${one.source}${one.text}`).join(' ');

describe('logs of several containers', () => {
  test('are merged by their moments, each asked for with them', async () => {
    logs = { c1: [whole(line(1, 'a') + line(4, 'd'))], c2: [whole(line(2, 'b') + line(3, 'c'))] };
    const follow = new LogFollow(
      [
        { id: 'c1', name: 'web.0' },
        { id: 'c2', name: 'web.1' },
      ],
      ['c1', 'c2'],
    );
    const end = follow.start();
    await vi.waitFor(() => expect(texts(follow)).toBe('0a 1b 1c 0d'));
    expect(asked[0]?.search).toBe('?follow=true&timestamps=true&tail=5000');
    await vi.waitFor(() => expect(follow.states.map((state) => state.phase)).toEqual(['ended', 'ended']));
    await vi.waitFor(() => expect(follow.version).toBeGreaterThan(0));
    end();
    expect(stream.listeners.size).toBe(0);
  });

  test('are followed again by an event of theirs, and no other', async () => {
    logs = { c1: [whole(line(1, 'a')), whole(line(1, 'a') + line(2, 'b'))] };
    const follow = new LogFollow([{ id: 'c1', name: 'web.0' }], ['c1']);
    const end = follow.start();
    await vi.waitFor(() => expect(follow.states[0]?.phase).toBe('ended'));
    stream.listeners.forEach((listen) => listen({ container: { id: 'c2' } }));
    expect(asked.length).toBe(1);
    stream.listeners.forEach((listen) => listen({ container: { id: 'c1' } }));
    await vi.waitFor(() => expect(texts(follow)).toBe('0a 0b'));
    expect(asked[1]?.searchParams.get('since')).toBe('2026-01-01T00:00:01.000000000Z');
    end();
  });

  test('that are not followed are read once, and on when somebody asks', async () => {
    logs = { c1: [whole(line(1, 'a')), whole(line(1, 'a') + line(2, 'b'))] };
    const follow = new LogFollow([{ id: 'c1', name: 'web.0' }], []);
    const end = follow.start();
    await vi.waitFor(() => expect(follow.states[0]?.phase).toBe('ended'));
    expect(asked[0]?.search).toBe('?follow=false&timestamps=true&tail=1000');
    follow.again();
    await vi.waitFor(() => expect(texts(follow)).toBe('0a 0b'));
    end();
  });

  test('say what is wrong: gone, or refused', async () => {
    logs = { c1: [whole(line(1, 'last'), { 'pierhead-gone-since': '2026-01-01T00:00:09Z' })] };
    const follow = new LogFollow(
      [
        { id: 'c1', name: 'web.0' },
        { id: 'c9', name: 'web.9' },
      ],
      ['c1', 'c9'],
    );
    const end = follow.start();
    await vi.waitFor(() => expect(follow.states[0]).toEqual({ phase: 'ended', goneSince: '2026-01-01T00:00:09Z' }));
    await vi.waitFor(() => expect(follow.states[1]).toEqual({ phase: 'refused', message: 'there is none' }));
    end();
  });

  test('stand still while they are paused, and are kept', async () => {
    let more: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({ start: (one) => void (more = one) });
    logs = { c1: [() => new Response(body)] };
    const follow = new LogFollow([{ id: 'c1', name: 'web.0' }], ['c1']);
    const end = follow.start();
    const say = (text: string) => more?.enqueue(new TextEncoder().encode(text));
    say(line(1, 'a'));
    await vi.waitFor(() => expect(texts(follow)).toBe('0a'));
    follow.pause();
    say(line(2, 'b') + line(3, 'c'));
    await vi.waitFor(() => expect(follow.waiting).toBe(2));
    expect(texts(follow)).toBe('0a');
    follow.resume();
    expect([texts(follow), follow.waiting]).toEqual(['0a 0b 0c', 0]);
    end();
  });
});

test('how many are followed depends on how many connections there are', () => {
  expect([mostSources('h2'), mostSources('http/1.1'), mostSources(undefined)]).toEqual([24, 3, 3]);
});
