import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { until } from '../../../tests/unit/until';
import type { Event } from '../../lib/live.svelte';
import { Tail } from './tail.svelte';

const stream = vi.hoisted(() => ({
  listeners: new Set<(event: unknown) => void>(),
  openers: new Set<() => void>(),
}));
vi.mock('../../lib/live.svelte', () => {
  const into =
    <T>(set: Set<T>) =>
    (one: T) => {
      set.add(one);
      return () => set.delete(one);
    };
  return { connection: { listen: into(stream.listeners), opened: into(stream.openers) } };
});

const event = (id: string, app = 'web'): Event => ({
  id,
  type: 'set-app',
  time: '2026-01-01T00:00:00.000Z',
  message: '',
  tags: ['cluster'],
  app,
});
const come = (one: Event) => stream.listeners.forEach((listen) => listen(one));
const ids = (list: readonly Event[] | null) => list?.map(({ id }) => id).join('');

let asked: URL[];
let answers: (() => Response)[];
const part = (letters: string, cursor?: string) => () =>
  Response.json(
    [...letters].map((id) => event(id)),
    {
      headers: cursor ? { link: `</api/events?limit=200&cursor=${cursor}>; rel="next"` } : {},
    },
  );

beforeEach(() => {
  asked = [];
  answers = [];
  stream.listeners.clear();
  stream.openers.clear();
  vi.stubGlobal('document', { baseURI: 'https://pool.example/' });
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url);
    return answers.shift()?.() ?? part('')();
  });
});
afterEach(() => void vi.unstubAllGlobals());

async function begun(filter = {}) {
  const tail = new Tail(filter);
  const end = tail.start();
  await until(() => expect(tail.isLoading).toBe(false));
  return { tail, end };
}

test('the past comes in parts, the newest first, and what is new above it', async () => {
  answers = [part('dc', 'next'), part('ba')];
  const { tail } = await begun({ app: 'web' });
  expect(asked[0]?.search).toBe('?app=web&limit=200');
  come(event('e'));
  come(event('x', 'other'));
  expect([ids(tail.list), tail.isAll]).toEqual(['edc', false]);
  await tail.more();
  expect(asked[1]?.searchParams.get('cursor')).toBe('next');
  expect([ids(tail.list), tail.isAll]).toEqual(['edcba', true]);
  await tail.more();
  expect(asked.length).toBe(2);
});

test('while it is paused nothing moves, and nothing is lost', async () => {
  answers = [part('a')];
  const { tail } = await begun();
  tail.pause();
  come(event('b'));
  come(event('c'));
  expect([ids(tail.list), ids(tail.waiting)]).toEqual(['a', 'cb']);
  tail.resume();
  expect([ids(tail.list), ids(tail.waiting)]).toEqual(['cba', '']);
});

test('what happened while nobody was connected is fetched, also while it is paused', async () => {
  answers = [part('a'), part('ba'), part('cba')];
  const { tail } = await begun();
  stream.openers.forEach((opened) => opened());
  await until(() => expect(ids(tail.list)).toBe('ba'));
  tail.pause();
  stream.openers.forEach((opened) => opened());
  await until(() => expect(ids(tail.waiting)).toBe('c'));
  expect(ids(tail.list)).toBe('ba');
});

test('a refusal is said, and the next try begins where it was', async () => {
  const refusal = { code: 'invalid', message: 'since must be a moment', field: 'since' };
  answers = [() => Response.json(refusal, { status: 400 }), part('a')];
  const { tail } = await begun({ since: 'soon' });
  expect(tail.error).toMatchObject(refusal);
  expect(tail.list).toBeNull();
  await tail.more();
  expect([ids(tail.list), tail.error]).toEqual(['a', null]);
});

test('a range that has ended is not live, and after the end nothing comes', async () => {
  answers = [part('a'), part('a')];
  const { tail, end } = await begun({ until: '1h' });
  come(event('b'));
  stream.openers.forEach((opened) => opened());
  expect([ids(tail.list), asked.length]).toEqual(['a', 1]);
  end();
  expect([stream.listeners.size, stream.openers.size]).toEqual([0, 0]);
});
