import { describe, expect, test } from 'vitest';
import { layBar, pathOf, spanAt } from './bars';
import type { Piece } from './model';

function piece(key: string, cpus: number): Piece {
  return { key, host: 'a', app: key, slot: 0, state: 'runs', size: { cpus, memory: 0 } };
}
const cpus = (one: Piece) => one.size.cpus;
const ends = (spans: readonly { from: number; to: number }[]) => spans.map(({ from, to }) => [from, to]);

describe('a bar', () => {
  test('is as wide as the capacity, pieces from its beginning, ghosts behind them', () => {
    const bar = layBar([piece('a', 1), piece('b', 2)], [piece('g', 0.5)], 4, 400, cpus);
    expect(ends(bar.spans)).toEqual([
      [0, 100],
      [100, 300],
    ]);
    expect(ends(bar.ghosts)).toEqual([[300, 350]]);
    expect(bar.limit).toBe(400);
  });

  test('of which nothing is known yet has no end of its room', () => {
    expect(layBar([], [], 0, 400, cpus).limit).toBe(400);
  });

  test('that holds more than there is room for shrinks, and shows where the room ends', () => {
    const bar = layBar([piece('a', 6)], [piece('g', 2)], 4, 400, cpus);
    expect(ends(bar.spans)).toEqual([[0, 300]]);
    expect(ends(bar.ghosts)).toEqual([[300, 400]]);
    expect(bar.limit).toBe(200);
  });

  test('of a host without anything is empty, not broken', () => {
    const bar = layBar([piece('a', 0)], [], 0, 400, cpus);
    expect(ends(bar.spans)).toEqual([[0, 0]]);
    expect(pathOf(bar.spans, 0, 10)).toBe('');
    expect(spanAt(bar, 0)).toBeUndefined();
  });
});

describe('what is under a pointer', () => {
  const bar = layBar([piece('a', 1), piece('none', 0), piece('b', 2)], [piece('g', 1)], 8, 800, cpus);
  test.each([
    [-1, undefined],
    [0, 'a'],
    [99.9, 'a'],
    [100, 'b'],
    [299, 'b'],
    [300, 'g'],
    [399, 'g'],
    [400, undefined],
    [900, undefined],
  ])('at %d is %s', (x, key) => {
    expect(spanAt(bar, x)?.piece.key).toBe(key);
  });

  test('is found among thousands as by looking at each', () => {
    const many = Array.from({ length: 5000 }, (_, at) => piece(`p${at}`, (at % 7) / 10));
    const wide = layBar(many, [], 1, 1000, cpus);
    for (let x = 0; x < 1000; x += 3.7) {
      const slow = wide.spans.find((span) => x >= span.from && x < span.to);
      expect(spanAt(wide, x)?.piece.key).toBe(slow?.piece.key);
    }
  });
});

describe('the path of many pieces', () => {
  test('has a rectangle for each that is wide enough, with a gap behind it', () => {
    const bar = layBar([piece('a', 1), piece('b', 1)], [], 4, 400, cpus);
    expect(pathOf(bar.spans, 2, 10)).toBe('M0 2h99v10h-99zM100 2h99v10h-99z');
  });

  test('joins narrow ones that touch, and only those', () => {
    const few = Array.from({ length: 100 }, (_, at) => piece(`p${at}`, 0.01));
    const bar = layBar([...few, piece('wide', 1), piece('last', 0.01)], [], 4, 400, cpus);
    expect(pathOf(bar.spans, 0, 10).match(/M/g)).toHaveLength(3);
    const apart = [bar.spans[0]!, bar.spans[50]!];
    expect(pathOf(apart, 0, 10).match(/M/g)).toHaveLength(2);
  });

  test('covers the pieces to within their gaps', () => {
    const bar = layBar(
      [3, 1, 0.02, 0.02, 0.5].map((size, at) => piece(`p${at}`, size)),
      [],
      5,
      500,
      cpus,
    );
    const drawn = [...pathOf(bar.spans, 0, 10).matchAll(/h(\d+(?:\.\d+)?)v/g)].reduce(
      (sum, [, w]) => sum + Number(w),
      0,
    );
    expect(drawn).toBeGreaterThan(449);
    expect(drawn).toBeLessThanOrEqual(454);
  });
});
