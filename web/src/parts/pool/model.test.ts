import { describe, expect, test } from 'vitest';
import { hostState, poolOf, share, takesMore, total, usedOf, type AppLike, type EngineLike } from './model';

function engine(id: string, more: Partial<EngineLike> = {}): EngineLike {
  const health = { status: 'healthy', since: '2026-11-22T08:00:00.000Z' };
  return { id, cpus: 4, memory: 8000, reserved_cpus: 0, reserved_memory: 0, container_count: 0, health, ...more };
}

function app(name: string, cpus: number, memory: number, slots: AppLike['slots']): AppLike {
  return { name, image: { cpus, memory }, slots };
}

describe('the state of a host', () => {
  const at = { since: '2026-11-22T08:00:00.000Z' };
  test.each([
    ['healthy', undefined, 'well', true],
    ['healthy', 'in_service', 'well', true],
    ['healthy', 'cordoned', 'cordoned', false],
    ['healthy', 'draining', 'draining', false],
    ['healthy', 'drained', 'drained', false],
    ['suspect', 'in_service', 'suspect', true],
    ['down', 'drained', 'down', false],
    ['waiting', undefined, 'waiting', false],
    ['pending', undefined, 'pending', false],
    ['something new', undefined, 'pending', false],
  ])('%s and %s is %s', (status, duty, state, more) => {
    const found = engine('a', { duty, health: { status, ...at } });
    expect(hostState(found)).toBe(state);
    expect(takesMore(poolOf([found], [])[0]!)).toBe(more);
  });
});

describe('the pieces of a host', () => {
  test('are what its slots hold, by app and number, and what is not of an app last', () => {
    const apps = [
      app('web', 0.5, 256, [
        { slot: 10, state: 'running', engine: 'a', container: 'c10' },
        { slot: 2, state: 'starting', engine: 'a' },
        { slot: 3, state: 'running', engine: 'b' },
      ]),
      app('db', 1, 1000, [{ slot: 0, state: 'stopped', engine: 'a' }]),
    ];
    const [a, b] = poolOf([engine('a', { reserved_cpus: 3, reserved_memory: 1612 }), engine('b')], apps);
    expect(a!.pieces.map((piece) => [piece.key, piece.state])).toEqual([
      ['db/0', 'stands'],
      ['web/2', 'starts'],
      ['web/10', 'runs'],
      ['a/', 'runs'],
    ]);
    expect(a!.pieces.at(-1)!.size).toEqual({ cpus: 1, memory: 100 });
    expect(a!.pieces[2]!.container).toBe('c10');
    expect(b!.pieces.map((piece) => piece.key)).toEqual(['web/3']);
  });

  test('leave out what has ended, what has no host and rounding', () => {
    const apps = [
      app('job', 1, 100, [
        { slot: 0, state: 'done', engine: 'a' },
        { slot: 1, state: 'failed', engine: 'a' },
        { slot: 2, state: 'waiting', engine: null },
        { slot: 3, state: 'lost', engine: 'a' },
      ]),
    ];
    const [a] = poolOf([engine('a', { reserved_cpus: 1.001, reserved_memory: 100.2 })], apps);
    expect(a!.pieces.map((piece) => [piece.key, piece.state])).toEqual([['job/3', 'lost']]);
  });
});

test('what is in use is in megabytes, and absent where nothing was measured', () => {
  const used = usedOf([{ id: 'a', cpu_cores: 1.5, memory_bytes: 3 * 1024 * 1024 }]);
  expect(used.get('a')).toEqual({ cpus: 1.5, memory: 3 });
  expect(used.get('b')).toBeUndefined();
});

test('what is not quite full is not told as full', () => {
  expect([share(0, 4), share(1, 4), share(3.999, 4), share(4, 4), share(5, 4)]).toEqual([0, 0.25, 0.99, 1, 1.25]);
  expect(share(1, 0)).toBe(0);
});

test('amounts add up', () => {
  expect(
    total([
      { cpus: 1, memory: 2 },
      { cpus: 0.5, memory: 8 },
    ]),
  ).toEqual({ cpus: 1.5, memory: 10 });
  expect(total([])).toEqual({ cpus: 0, memory: 0 });
});
