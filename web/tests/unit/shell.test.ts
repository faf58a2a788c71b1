import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../src/lib/api';
import { madeUpPassword, Sending } from '../../src/lib/form.svelte';
import { whileSeen } from '../../src/lib/seen';
import { session, type Permission } from '../../src/lib/session.svelte';
import { pages } from '../../src/pages';
import { GO } from '../../src/shell/keys';
import { home, isUnder, listed, menu } from '../../src/shell/menu';
import { again } from '../../src/shell/reload';

const be = (...permissions: Permission[]) => {
  session.who = { username: 'ann', role: 'some', permissions };
};
const paths = (group: 'main' | 'more') => menu(group).map((page) => page.path);

describe('navigation', () => {
  test('shows what the role may see, and nothing that needs a name', () => {
    be();
    expect(paths('more')).toEqual(['/settings', '/tokens']);
    expect(listed().some((page) => page.permission)).toBe(false);
    be('read-engines', 'read-containers', 'read-events', 'write-accounts');
    expect(paths('main').slice(0, 3)).toEqual(['/', '/hosts', '/apps']);
    expect(paths('more')).toContain('/accounts');
    expect(listed().filter((page) => page.path.includes(':'))).toEqual([]);
    const wall = () => listed().some((page) => page.path === '/wall');
    expect(wall()).toBe(true);
    be('read-labs');
    expect(wall(), 'another permission does as well').toBe(true);
    be('read-engines');
    expect(wall()).toBe(false);
  });

  test('begins with a page that one may see', () => {
    be('read-engines', 'read-containers');
    expect(home()).toBe('/');
    be('read-labs');
    expect(home()).toBe('/courses');
    expect(listed().map((page) => page.path)).toEqual(expect.arrayContaining(['/workspaces', '/saves']));
    be();
    expect(home()).toBe('/settings');
  });

  test('has each page once, each with a title in both languages', () => {
    const all = pages.map((page) => page.path);
    expect(new Set(all).size).toBe(all.length);
    expect(pages.filter((page) => page.title().trim() === '')).toEqual([]);
  });

  test('lights the place one is in', () => {
    const apps = pages.find((page) => page.path === '/apps');
    const overview = pages.find((page) => page.path === '/');
    if (!apps || !overview) throw new Error('there are no such pages');
    expect(['/apps', '/apps/web', '/apps/web/change', '/appsx', '/'].map((path) => isUnder(apps, path))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(isUnder(overview, '/apps')).toBe(false);
  });

  test('keys lead to pages that there are', () => {
    const all = pages.map((page) => page.path);
    expect(Object.values(GO).filter((path) => !all.includes(path))).toEqual([]);
  });
});

describe('a form', () => {
  test('is sent once at a time, and tells what was refused', async () => {
    const sending = new Sending();
    let release = () => {};
    const first = sending.run(() => new Promise<void>((done) => (release = done)));
    expect([sending.busy, await sending.run(async () => {})]).toEqual([true, false]);
    release();
    expect([await first, sending.busy, sending.error]).toEqual([true, false, undefined]);
    const refusal = new ApiError(409, 'exists', 'there is one');
    expect(await sending.run(() => Promise.reject(refusal))).toBe(false);
    expect(sending.error).toBe(refusal);
    sending.clear();
    expect(sending.error).toBeUndefined();
  });

  test('hides no defect of ours', async () => {
    const sending = new Sending();
    await expect(sending.run(() => Promise.reject(new TypeError('defect')))).rejects.toThrow('defect');
    expect(sending.busy).toBe(false);
  });

  test('makes up passwords that differ and are not misread', () => {
    const made = Array.from({ length: 200 }, madeUpPassword);
    expect(new Set(made).size).toBe(200);
    expect(made.filter((password) => !/^[a-km-zA-HJ-NP-Z2-9]{20}$/.test(password) || /[l1I0O]/.test(password))).toEqual(
      [],
    );
  });
});

describe('work while the page is seen', () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const show = (state: 'visible' | 'hidden') => {
    page.visibilityState = state;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('document', page);
    page.visibilityState = 'visible';
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('is one at a time, pauses, and ends for good', () => {
    const signals: AbortSignal[] = [];
    const end = whileSeen(async (signal) => void signals.push(signal));
    show('visible');
    expect(signals.length).toBe(1);
    show('hidden');
    vi.advanceTimersByTime(60_000);
    expect(signals[0]?.aborted).toBe(true);
    show('visible');
    expect([signals.length, signals[1]?.aborted]).toEqual([2, false]);
    show('hidden');
    end();
    expect(signals[1]?.aborted).toBe(true);
    show('visible');
    vi.advanceTimersByTime(60_000);
    expect(signals.length).toBe(2);
  });
});

test('a page that can’t be loaded begins anew soon, and then now and then', () => {
  const kept = new Map<string, string>();
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, to: string) => void kept.set(key, to),
  };
  expect(again(1_000_000, store)).toBe(500);
  expect(again(1_001_000, store)).toBe(19_500);
  expect(again(1_021_000, store)).toBe(19_500);
  expect(again(2_000_000, store)).toBe(500);
});
