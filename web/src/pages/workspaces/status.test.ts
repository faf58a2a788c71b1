import { describe, expect, test } from 'vitest';
import type { Phase, Save, Workspace } from './api';
import {
  asked,
  asksForRoom,
  byContainer,
  clockText,
  counts,
  deeds,
  left,
  newestFirst,
  ordered,
  shownPhase,
  TONES,
} from './status';

const PHASES: Phase[] = ['queued', 'starting', 'ready', 'idle', 'paused', 'saving', 'saved', 'ended', 'failed'];
const workspace = (more: Partial<Workspace>) => ({ phase: 'ready', right: 'owner', ...more }) as Workspace;

describe('a phase', () => {
  test('is unreachable where something runs on a host that is down, and only there', () => {
    expect(PHASES.map((phase) => shownPhase(phase, true))).toEqual([
      'queued',
      'unreachable',
      'unreachable',
      'unreachable',
      'unreachable',
      'saving',
      'saved',
      'ended',
      'unreachable',
    ]);
    expect(PHASES.map((phase) => shownPhase(phase, false))).toEqual(PHASES);
    expect(PHASES.filter((phase) => !(phase in TONES))).toEqual([]);
  });
});

describe('what is said of one', () => {
  test('asks for room where there are too many saves, at once and while it is tried again', () => {
    const full =
      'the saves of li: at most 50 saves may be kept, and there would be 51; delete saves that are not needed any more';
    expect([full, `it could not be saved, so it is kept: ${full}; is tried again in 8 s`].map(asksForRoom)).toEqual([
      true,
      true,
    ]);
    expect([undefined, '', 'the saves of li are being copied'].map(asksForRoom)).toEqual([false, false, false]);
  });
});

describe('what one may do', () => {
  const may = (phase: Phase, right: Workspace['right']) => [...deeds({ phase, right })].sort().join(' ');

  test('is nothing for those who may only look, and nothing with one that is over', () => {
    expect(PHASES.map((phase) => may(phase, 'viewer'))).toEqual(PHASES.map(() => ''));
    expect(may('ended', 'owner')).toBe('');
  });

  test('is to save and to extend for those who may work in it', () => {
    expect(PHASES.filter((phase) => may(phase, 'driver') !== '')).toEqual(['ready', 'idle', 'paused']);
    expect(may('ready', 'driver')).toBe('extend save');
  });

  test('goes by the phase for its owner', () => {
    expect(may('queued', 'owner')).toBe('end share stop');
    expect(may('ready', 'owner')).toBe('end extend reset save share stop');
    expect(may('paused', 'owner')).toBe('end extend save share stop');
    expect(may('saving', 'owner')).toBe('end share');
    expect(may('saved', 'owner')).toBe('end reset share start');
    expect(may('failed', 'owner')).toBe('end reset share start stop');
  });
});

describe('the time that is left', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();

  test('is that until its end, said the more loudly the nearer it is', () => {
    expect(left({}, now)).toBeNull();
    expect(left({ ends_at: 'nonsense', idle_at: null }, now)).toBeNull();
    expect(left({ ends_at: at(90) }, now)).toEqual({ ms: 90 * 60_000, why: 'time', tone: 'plain' });
    expect(left({ ends_at: at(10) }, now)?.tone).toBe('warn');
    expect(left({ ends_at: at(2) }, now)?.tone).toBe('bad');
    expect(left({ ends_at: at(-5) }, now)).toEqual({ ms: 0, why: 'time', tone: 'bad' });
  });

  test('tells of idleness only when that is near, and comes first', () => {
    expect(left({ ends_at: at(90), idle_at: at(30) }, now)?.why).toBe('time');
    expect(left({ ends_at: at(90), idle_at: at(8) }, now)).toEqual({ ms: 8 * 60_000, why: 'idle', tone: 'warn' });
    expect(left({ ends_at: at(5), idle_at: at(8) }, now)?.why).toBe('time');
    expect(left({ idle_at: at(8) }, now)?.why).toBe('idle');
    expect(left({ idle_at: at(30) }, now)).toBeNull();
  });

  test('stands as on a clock', () => {
    expect([0, 999, 61_000, 3_600_000, 3_849_000, -5].map(clockText)).toEqual([
      '0:00',
      '0:00',
      '1:01',
      '1:00:00',
      '1:04:09',
      '0:00',
    ]);
  });
});

test('what is asked for is known by the words for it', () => {
  expect(asked(undefined)).toEqual([]);
  const words = ['root, to install packages', 'connections to the world outside', 'privileged containers'];
  expect(asked([...words, '512 processes a container', 'something new']).map(({ ask }) => ask)).toEqual([
    'root',
    'egress',
    'privileged',
    'pids',
    null,
  ]);
  expect(asked(['something new'])).toEqual([{ ask: null, text: 'something new' }]);
});

describe('lists', () => {
  test('begin with what runs or waits, then what is saved, then what is over; the newest first', () => {
    const one = (name: string, phase: Phase, day: number) =>
      workspace({ name, phase, created_at: `2026-01-0${day}T00:00:00Z` });
    const list = [one('over', 'ended', 9), one('old', 'ready', 1), one('kept', 'saved', 8), one('new', 'queued', 2)];
    expect(ordered(list).map(({ name }) => name)).toEqual(['new', 'old', 'kept', 'over']);
    expect(list[0]?.name, 'the list itself is left as it is').toBe('over');
    expect(counts(list)).toEqual({ running: 1, queued: 1, saved: 1 });
  });

  test('of saves begin with the newest', () => {
    const save = (id: string, day: number) => ({ id, created_at: `2026-01-0${day}T00:00:00Z` }) as Save;
    expect(newestFirst([save('a', 1), save('c', 3), save('b', 2)]).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });
});

test('a workspace is found by each of its containers that are there', () => {
  const box = (name: string, id?: string) => ({ name, image: 'alpine', ...(id ? { id } : {}) });
  const [two, none] = [
    workspace({ name: 'two', containers: [box('main', 'aa'), box('db', 'bb')] }),
    workspace({ name: 'none', containers: [box('main')] }),
  ];
  expect([...byContainer([two, none])].map(([id, { name }]) => `${id} ${name}`)).toEqual(['aa two', 'bb two']);
});
