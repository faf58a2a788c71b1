import { describe, expect, test } from 'vitest';
import { lookOf } from './draw';
import { ghostsOfLoss, ghostsOfMoves, ghostsOfRequest, landing, noGhosts } from './ghosts';
import { poolOf, type Piece } from './model';

const engine = (id: string) => ({
  id,
  cpus: 4,
  memory: 8000,
  reserved_cpus: 2,
  reserved_memory: 500,
  container_count: 2,
  health: { status: 'healthy', since: '2026-11-22T08:00:00.000Z' },
});
const apps = [
  {
    name: 'web',
    image: { cpus: 1, memory: 250 },
    slots: [
      { slot: 0, state: 'running', engine: 'a', container: 'c0' },
      { slot: 1, state: 'running', engine: 'a' },
      { slot: 2, state: 'running', engine: 'b' },
    ],
  },
];
const pool = poolOf([engine('a'), engine('b'), engine('c')], apps);

describe('a request', () => {
  const explained = {
    hosts: [
      { engine: 'a', fits: true },
      { engine: 'b', fits: false, reason: 'lacks 1 CPU' },
      { engine: 'c', fits: true },
    ],
    slots: [{ slot: 0, engine: 'c' }, { slot: 1, engine: 'a' }, { slot: 2, engine: 'c' }, { slot: 3 }],
  };
  const ghosts = ghostsOfRequest(explained, 'new', { cpus: 1, memory: 10 });

  test('comes where its slots would land', () => {
    expect(landing(ghosts)).toEqual([
      { host: 'c', count: 2 },
      { host: 'a', count: 1 },
    ]);
    expect(ghosts.coming.get('c')!.map((piece) => piece.key)).toEqual(['+new/0', '+new/2']);
  });

  test('is refused by hosts for their reasons', () => {
    expect([...ghosts.refusing]).toEqual([['b', 'lacks 1 CPU']]);
  });
});

describe('moves', () => {
  test('leave where they were and come as large elsewhere', () => {
    const ghosts = ghostsOfMoves([{ app: 'web', slot: 1, from: 'a', to: 'c' }], pool);
    expect([...ghosts.leaving]).toEqual(['web/1']);
    const [come] = ghosts.coming.get('c')!;
    expect(come).toMatchObject({ key: '+web/1', host: 'c', size: { cpus: 1, memory: 250 } });
    expect(come!.container).toBeUndefined();
  });

  test('of slots that have gone count for nothing', () => {
    const ghosts = ghostsOfMoves([{ app: 'web', slot: 9, from: 'a', to: 'c' }], pool);
    expect(ghosts.leaving.size + ghosts.coming.size).toBe(0);
  });
});

test('of a lost host all leave, and those without a place are homeless', () => {
  const moves = [{ app: 'web', slot: 0, from: 'a', to: 'b' }];
  const ghosts = ghostsOfLoss({ engine: 'a', moves, homeless: [{ app: 'web', slot: 1 }] }, pool);
  expect([...ghosts.leaving].sort()).toEqual(['web/0', 'web/1']);
  expect([...ghosts.homeless]).toEqual(['web/1']);
  expect(landing(ghosts)).toEqual([{ host: 'b', count: 1 }]);
});

describe('the look of a piece', () => {
  const piece = (more: Partial<Piece>): Piece => ({ ...pool[0]!.pieces[0]!, ...more });
  test('is what becomes of it before how it is', () => {
    const ghosts = { ...noGhosts(), leaving: new Set(['web/0', 'web/1']), homeless: new Set(['web/1']) };
    expect(lookOf(piece({ key: 'web/1' }), ghosts, 'web')).toBe('homeless');
    expect(lookOf(piece({ key: 'web/0' }), ghosts, 'web')).toBe('leaving');
    expect(lookOf(piece({ key: 'web/2' }), ghosts, 'web')).toBe('bright');
    expect(lookOf(piece({ key: 'web/2' }), ghosts, '')).toBe('runs');
  });

  test('of what is lost stays bad when it is pointed at, and what is of no app never stands out', () => {
    expect(lookOf(piece({ state: 'lost' }), undefined, 'web')).toBe('lost');
    expect(lookOf(piece({ app: '' }), undefined, '')).toBe('other');
  });
});
