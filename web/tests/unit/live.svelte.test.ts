import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { flushSync } from 'svelte';
import { ApiError } from '../../src/lib/api';
import { connection, forgetAll, live } from '../../src/lib/live.svelte';
import type { Listener } from '../../src/lib/stream';

/** What the module under test opened, and how each stream ends. */
interface Opened {
  listener: Listener;
  lastId: string | undefined;
  since: string | undefined;
  signal: AbortSignal;
  end: (error?: unknown) => void;
}
const opened: Opened[] = [];

vi.mock('../../src/lib/stream', () => ({
  follow: (
    _: string,
    listener: Listener,
    options: { signal: AbortSignal; lastId?: string; query?: { since?: string } },
  ) =>
    new Promise<void>((done, fail) => {
      const end = (error?: unknown) => (error ? fail(error) : done());
      options.signal.addEventListener('abort', () => end(new DOMException('off', 'AbortError')));
      opened.push({ listener, lastId: options.lastId, since: options.query?.since, signal: options.signal, end });
    }),
}));

const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
const last = () => opened[opened.length - 1] as Opened;
const event = (id: string, type = 'run-container', more = {}) => ({
  type: 'message',
  id,
  data: JSON.stringify({ id, type, time: '2026-11-21T22:10:06Z', message: '', tags: [], ...more }),
});

beforeEach(() => {
  opened.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('removeEventListener', () => {});
  page.visibilityState = 'visible';
});
afterEach(() => {
  connection.stop();
  forgetAll();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the connection', () => {
  test('comes back by itself, with what it saw last, and waits longer each time', async () => {
    connection.start();
    expect(connection.state).toBe('connecting');
    last().listener.open?.();
    expect(connection.state).toBe('online');
    last().listener.event(event('aa'));
    last().end();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state).toBe('offline');
    const waits: number[] = [];
    for (let tries = 2; tries < 9; tries += 1) {
      const begun = Date.now();
      while (opened.length < tries) await vi.advanceTimersByTimeAsync(25);
      waits.push(Date.now() - begun);
      last().end(new TypeError('fetch failed'));
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(waits[0]).toBeLessThan(1000);
    expect(waits.at(-1)).toBeGreaterThan(6000);
    expect(Math.max(...waits)).toBeLessThan(13_000);
    connection.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(last().lastId).toBe('aa');
    last().listener.open?.();
    expect(connection.state).toBe('online');
  });

  test('is stale when nothing was heard for long, and connects anew', async () => {
    connection.start();
    last().listener.open?.();
    await vi.advanceTimersByTimeAsync(30_000);
    last().listener.heard?.();
    await vi.advanceTimersByTimeAsync(30_000);
    expect([connection.state, opened.length]).toEqual(['online', 1]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(connection.state).not.toBe('online');
    expect(opened.length).toBeGreaterThan(1);
  });

  test('is given time to open, also long after the last word', async () => {
    connection.start();
    last().listener.open?.();
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(600_000);
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect([opened.length, last().signal.aborted]).toEqual([2, false]);
    connection.stop();
  });

  test('says that it hears nothing if the account may not listen, and tries no more', async () => {
    connection.start();
    last().end(new ApiError(403, 'forbidden', 'no'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect([connection.state, opened.length]).toEqual(['deaf', 1]);
  });

  test('is given back while nobody looks, and taken again', async () => {
    connection.start();
    last().listener.open?.();
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(last().signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([last().signal.aborted, opened.length]).toEqual([true, 1]);
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(opened.length).toBe(2);
    // A look at another tab costs nothing.
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect([last().signal.aborted, opened.length]).toEqual([false, 2]);
    connection.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(opened.length).toBe(2);
  });
});

describe('a page opened behind another', () => {
  test('takes no connection until somebody looks', async () => {
    page.visibilityState = 'hidden';
    connection.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(opened.length).toBe(0);
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(opened.length).toBe(1);
  });
});

describe('a resource', () => {
  test('is fetched once when the console is opened, if the stream tells all since then', async () => {
    let count = 0;
    connection.start(Date.parse('2026-11-21T22:10:06Z'));
    const end = $effect.root(() => void live(() => ({ key: 'n', load: async () => (count += 1) })));
    flushSync();
    expect(last().since).toBe('2026-11-21T22:10:05.000Z');
    last().listener.open?.();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(count).toBe(1);
    // What came before it was opened wakes it like any other.
    last().listener.event(event('aa'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(count).toBe(2);
    // After a break the last event seen counts, and nothing is taken for granted.
    last().end();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([last().lastId, last().since]).toEqual(['aa', undefined]);
    last().listener.open?.();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(count).toBe(3);
    end();
  });

  async function shown(
    load: (refuse: () => ApiError, signal: AbortSignal) => Promise<number>,
    wakeOn?: (event: { type: string }) => boolean,
  ) {
    connection.start();
    last().listener.open?.();
    let found: { value: number | undefined; error: ApiError | undefined; refetch(): Promise<void> } | undefined;
    const end = $effect.root(() => {
      found = live(() => ({
        key: 'n',
        load: (signal) => load(() => new ApiError(0, 'offline', 'no answer'), signal),
        ...(wakeOn ? { wakeOn } : {}),
      }));
    });
    flushSync();
    await vi.advanceTimersByTimeAsync(0);
    if (!found) throw new Error('nothing was made');
    const stop = () => {
      end();
      connection.stop();
    };
    return { resource: found, stop };
  }

  test('is fetched once for a burst of events, and not for what is not its own', async () => {
    let count = 0;
    const { resource, stop } = await shown(
      async () => (count += 1),
      ({ type }) => type === 'mine',
    );
    expect(resource.value).toBe(1);
    for (let at = 0; at < 50; at += 1) last().listener.event(event(`${at}`, 'mine'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(resource.value).toBe(2);
    last().listener.event(event('x', 'other'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(resource.value).toBe(2);
    stop();
  });

  test('is fetched again for an event that came while it was fetched', async () => {
    let count = 0;
    let release = () => {};
    const { resource, stop } = await shown(async () => {
      count += 1;
      if (count === 2) await new Promise<void>((done) => (release = done));
      return count;
    });
    last().listener.event(event('1'));
    await vi.advanceTimersByTimeAsync(500);
    expect(count).toBe(2);
    last().listener.event(event('2'));
    release();
    await vi.advanceTimersByTimeAsync(5000);
    expect(resource.value).toBe(3);
    stop();
  });

  test('keeps its value when it fails, and heals when the connection is back', async () => {
    let count = 0;
    const { resource, stop } = await shown(async (refuse) => {
      count += 1;
      if (count === 2) throw refuse();
      return count;
    });
    await resource.refetch();
    expect([resource.value, resource.error?.code]).toEqual([1, 'offline']);
    last().end();
    await vi.advanceTimersByTimeAsync(1000);
    last().listener.open?.();
    await vi.advanceTimersByTimeAsync(1000);
    expect([resource.value, resource.error]).toEqual([3, undefined]);
    stop();
  });

  test('is asked for anew if the question was lost with the connection', async () => {
    let count = 0;
    const { resource, stop } = await shown(async (_, signal) => {
      count += 1;
      if (count === 2) await new Promise((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
      return count;
    });
    last().listener.event(event('1'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect([resource.value, count]).toEqual([1, 2]);
    last().end();
    await vi.advanceTimersByTimeAsync(1_000);
    last().listener.open?.();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([resource.value, resource.error]).toEqual([3, undefined]);
    stop();
  });

  test('is not fetched when nobody looks any more', async () => {
    let count = 0;
    const { stop } = await shown(async () => (count += 1));
    stop();
    connection.start();
    last().listener.open?.();
    last().listener.event(event('1'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(count).toBe(1);
  });
});
