import { describe, expect, test } from 'vitest';
import { fontFor, nextFont, room, type Cell } from './fit';

const CELL: Cell = { width: 8, height: 16, font: 14 };

describe('room', () => {
  test('is counted in whole cells', () => {
    expect(room({ width: 807, height: 399 }, CELL, 14)).toEqual({ columns: 100, rows: 24 });
  });

  test("is the wanted font's, whichever is drawn", () => {
    expect(room({ width: 800, height: 320 }, { width: 4, height: 8, font: 7 }, 14)).toEqual({ columns: 100, rows: 20 });
  });

  test('has bounds', () => {
    expect(room({ width: 3, height: 3 }, CELL, 14)).toEqual({ columns: 2, rows: 1 });
    expect(room({ width: 1e5, height: 1e5 }, CELL, 14)).toEqual({ columns: 500, rows: 200 });
  });

  test('is unknown while nothing was drawn', () => {
    expect(room({ width: 0, height: 300 }, CELL, 14)).toBeNull();
    expect(room({ width: 300, height: 300 }, { width: 0, height: 0, font: 14 }, 14)).toBeNull();
  });
});

describe('the font', () => {
  test('is the wanted one where there is room', () => {
    expect(fontFor({ width: 1000, height: 1000 }, CELL, { columns: 80, rows: 24 }, 14)).toBe(14);
  });

  test('shrinks until all can be seen, by what is scarcer', () => {
    expect(fontFor({ width: 320, height: 1000 }, CELL, { columns: 80, rows: 24 }, 14)).toBe(7);
    expect(fontFor({ width: 1000, height: 192 }, CELL, { columns: 80, rows: 24 }, 14)).toBe(7);
    for (const columns of [81, 97, 133, 250]) {
      const font = fontFor({ width: 320, height: 1000 }, CELL, { columns, rows: 24 }, 14);
      expect((font / 14) * 8 * columns).toBeLessThanOrEqual(Math.max(320, (4 / 14) * 8 * columns));
    }
  });

  test('does not vanish', () => {
    expect(fontFor({ width: 10, height: 10 }, CELL, { columns: 500, rows: 200 }, 14)).toBe(4);
  });

  test('goes up and down in steps', () => {
    expect([nextFont(14, 1), nextFont(14, -1), nextFont(28, 1), nextFont(10, -1), nextFont(17, 1)]).toEqual([
      15, 13, 28, 10, 18,
    ]);
  });
});
