import { describe, expect, test } from 'vitest';
import { arrange, detailOf, sharesOf } from './tiles';

const hosts = (count: number, cpus = 8, memory = 16_000) => Array.from({ length: count }, () => ({ cpus, memory }));

/** How many rows boxes of these widths take. */
function rows(widths: readonly number[], gap: number, available: number): number {
  let count = 1;
  let at = 0;
  for (const width of widths) {
    if (at > 0 && at + gap + width > available) {
      count += 1;
      at = 0;
    }
    at += (at > 0 ? gap : 0) + width;
  }
  return count;
}

test('few hosts are told in full, hundreds by their bars', () => {
  expect([1, 9, 10, 48, 49, 200].map(detailOf)).toEqual(['full', 'full', 'brief', 'brief', 'dense', 'dense']);
});

describe('boxes', () => {
  test.each([
    [1, 328],
    [3, 328],
    [3, 1232],
    [12, 800],
    [40, 1232],
    [200, 328],
    [200, 1232],
    [200, 2500],
  ])('%d of one size fit into %d pixels', (count, available) => {
    const { widths, gap } = arrange(hosts(count), available);
    expect(new Set(widths).size).toBe(1);
    expect(widths[0]).toBeLessThanOrEqual(available);
    expect(widths[0]).toBeGreaterThan(60);
    const columns = Math.floor((available + gap) / (widths[0]! + gap));
    expect(rows(widths, gap, available)).toBe(Math.ceil(count / columns));
  });

  test('three stand side by side on a desk, and beneath each other on a phone', () => {
    expect(rows(arrange(hosts(3), 800).widths, 12, 800)).toBe(1);
    expect(rows(arrange(hosts(3), 328).widths, 12, 328)).toBe(3);
  });

  test('two hundred take less than two screens of a desk', () => {
    const { widths, gap } = arrange(hosts(200), 1232);
    expect(rows(widths, gap, 1232) * 48).toBeLessThan(1800);
  });

  test('are as wide as the capacity, down to a width that can be read', () => {
    const { widths } = arrange(
      [
        { cpus: 16, memory: 64_000 },
        { cpus: 12, memory: 48_000 },
        { cpus: 1, memory: 500 },
      ],
      1200,
    );
    expect(widths[1]! / widths[0]!).toBeCloseTo(0.75, 1);
    expect(widths[2]! / widths[0]!).toBeCloseTo(0.6, 1);
  });

  test('of many stand in a grid, and only their bars differ', () => {
    const capacities = [...hosts(60), ...hosts(40, 4, 8_000), ...hosts(1, 0.1, 10)];
    const { widths, bars } = arrange(capacities, 1200);
    expect(new Set(widths).size).toBe(1);
    expect([bars[0], bars[60], bars[100]]).toEqual([1, 0.5, 0.2]);
    expect(arrange(hosts(3), 1200).bars).toEqual([1, 1, 1]);
  });

  test('of one host alone may fill the page', () => {
    expect(arrange(hosts(1), 1200, 'full', true).widths).toEqual([1200]);
    expect(arrange(hosts(1), 1200).widths[0]).toBeLessThan(1200);
  });

  test('of a page that is not laid out yet have no negative widths', () => {
    expect(arrange(hosts(3), 0).widths).toEqual([0, 0, 0]);
  });
});

test('shares are of the largest, by cores and memory alike', () => {
  expect(
    sharesOf([
      { cpus: 4, memory: 1000 },
      { cpus: 2, memory: 1000 },
    ]),
  ).toEqual([1, 0.75]);
  expect(sharesOf([{ cpus: 0, memory: 0 }])).toEqual([1]);
  expect(sharesOf([])).toEqual([]);
});
