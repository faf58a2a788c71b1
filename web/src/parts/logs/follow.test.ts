import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { until } from '../../../tests/unit/until';
import { LogFollow } from './follow.svelte';

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
const one = { container: 'c1', name: 'web.0' };

describe('the logs of an app', () => {
  test('are one, in the order of moments, whoever comes', async () => {
    const first = `web.0.1 ${line(1, 'a')}web.1.1 ${line(3, 'c')}web.0.1 ${line(2, 'b')}# web.1.1 has ended\n`;
    const more = `# web.3.1 cannot be read: host h3 does not answer\n# 7 more containers are left out\n`;
    logs = { web: [whole(first + more + `web.2.1 ${line(4, 'd')}`)] };
    const follow = new LogFollow({ app: 'web' });
    const end = follow.start();
    await until(() => expect(follow.state.phase).toBe('ended'));
    expect(texts(follow)).toBe('0a 0b 1c 2d');
    expect(follow.names).toEqual(['web.0.1', 'web.1.1', 'web.2.1']);
    expect([...follow.standing]).toEqual([
      ['web.1.1', { is: 'ended' }],
      ['web.3.1', { is: 'failed', why: 'host h3 does not answer' }],
    ]);
    expect(follow.left).toBe(7);
    expect(asked[0]?.pathname).toBe('/api/apps/web/logs');
    expect(asked[0]?.search).toBe('?follow=true&timestamps=true&tail=1000');
    await until(() => expect(follow.version).toBeGreaterThan(0));
    end();
    expect(stream.listeners.size).toBe(0);
  });

  test('go on by an event of the app, and who writes again has not ended', async () => {
    const first = `web.0.1 ${line(1, 'a')}# web.0.1 has ended\n`;
    logs = { web: [whole(first), whole(`web.0.1 ${line(1, 'a')}web.0.1 ${line(2, 'b')}`)] };
    const follow = new LogFollow({ app: 'web' });
    const end = follow.start();
    await until(() => expect(follow.state.phase).toBe('ended'));
    expect(follow.standing.size).toBe(1);
    stream.listeners.forEach((listen) => listen({ app: 'shop' }));
    expect(asked.length).toBe(1);
    stream.listeners.forEach((listen) => listen({ app: 'web' }));
    await until(() => expect(texts(follow)).toBe('0a 0b'));
    expect(asked[1]?.searchParams.get('since')).toBe('2025-12-31T23:59:01.000Z');
    expect(follow.standing.size).toBe(0);
    end();
  });
});

describe('the log of a container', () => {
  test('is followed again by an event of its own, and no other', async () => {
    logs = { c1: [whole(line(1, 'a')), whole(line(1, 'a') + line(2, 'b'))] };
    const follow = new LogFollow(one);
    const end = follow.start();
    await until(() => expect(follow.state.phase).toBe('ended'));
    expect(asked[0]?.search).toBe('?follow=true&timestamps=true&tail=5000');
    stream.listeners.forEach((listen) => listen({ container: { id: 'c2' } }));
    expect(asked.length).toBe(1);
    stream.listeners.forEach((listen) => listen({ container: { id: 'c1' } }));
    await until(() => expect(texts(follow)).toBe('0a 0b'));
    expect(asked[1]?.searchParams.get('since')).toBe('2026-01-01T00:00:01.000000000Z');
    end();
  });

  test('says what is wrong: gone, or refused', async () => {
    logs = { c1: [whole(line(1, 'last'), { 'pierhead-gone-since': '2026-01-01T00:00:09Z' })] };
    const gone = new LogFollow(one);
    const none = new LogFollow({ container: 'c9', name: 'web.9' });
    const ends = [gone.start(), none.start()];
    await until(() => expect(gone.state).toEqual({ phase: 'ended', goneSince: '2026-01-01T00:00:09Z' }));
    await until(() => expect(none.state).toEqual({ phase: 'refused', message: 'there is none' }));
    for (const end of ends) end();
  });

  test('stands still while it is paused, and is kept', async () => {
    let more: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({ start: (one) => void (more = one) });
    logs = { c1: [() => new Response(body)] };
    const follow = new LogFollow(one);
    const end = follow.start();
    const say = (text: string) => more?.enqueue(new TextEncoder().encode(text));
    say(line(1, 'a'));
    await until(() => expect(texts(follow)).toBe('0a'));
    follow.pause();
    say(line(2, 'b') + line(3, 'c'));
    await until(() => expect(follow.waiting).toBe(2));
    expect(texts(follow)).toBe('0a');
    follow.resume();
    expect([texts(follow), follow.waiting]).toEqual(['0a 0b 0c', 0]);
    end();
  });
});
