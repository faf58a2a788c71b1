import { describe, expect, test } from 'vitest';
import { filtered, nextSort, sorted, span, type Column } from '../../src/parts/table';

interface Row {
  name: string;
  cpu: number | null;
}
const columns: Column<Row>[] = [
  { id: 'name', title: 'Name', text: (row) => row.name },
  { id: 'cpu', title: 'CPU', text: (row) => String(row.cpu ?? ''), sort: (row) => row.cpu },
];
const rows: Row[] = [
  { name: 'web-10', cpu: 2 },
  { name: 'web-9', cpu: null },
  { name: 'Shop', cpu: 10 },
];
const names = (list: readonly Row[]) => list.map((row) => row.name);

describe('rows', () => {
  test('are filtered by every word, in any column and case', () => {
    expect(names(filtered(rows, columns, ' WEB '))).toEqual(['web-10', 'web-9']);
    expect(names(filtered(rows, columns, '10'))).toEqual(['web-10', 'Shop']);
    expect(names(filtered(rows, columns, '10 web'))).toEqual(['web-10']);
    expect(filtered(rows, columns, '  ')).toBe(rows);
    expect(filtered(rows, columns, 'x')).toEqual([]);
  });

  test('are sorted as people count, with what is absent last both ways', () => {
    expect(names(sorted(rows, columns, 'name'))).toEqual(['Shop', 'web-9', 'web-10']);
    expect(names(sorted(rows, columns, 'cpu'))).toEqual(['web-10', 'Shop', 'web-9']);
    expect(names(sorted(rows, columns, '-cpu'))).toEqual(['Shop', 'web-10', 'web-9']);
    expect(sorted(rows, columns, 'unknown')).toBe(rows);
    expect(names(rows)).toEqual(['web-10', 'web-9', 'Shop']);
  });

  test('go up, down, and back to their own order', () => {
    expect(nextSort('', 'name')).toBe('name');
    expect(nextSort('name', 'name')).toBe('-name');
    expect(nextSort('-name', 'name')).toBe('');
    expect(nextSort('cpu', 'name')).toBe('name');
    // A list that begins with the largest can be turned round at once.
    expect(nextSort('-name', 'name', '-name')).toBe('name');
    expect(nextSort('-name', 'name', 'name')).toBe('');
  });
});

describe('what is drawn', () => {
  test('covers the view, and little more', () => {
    for (const top of [-5000, -100, 0, 35, 36, 9_999, 179_000, 400_000]) {
      const { from, to } = span(5000, 36, top, 900);
      expect(to - from).toBeLessThan(60);
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(5000);
      const first = Math.max(0, Math.floor(top / 36));
      const last = Math.ceil((top + 900) / 36);
      if (top >= 0 && last < 5000) expect([from <= first, to >= last]).toEqual([true, true]);
    }
  });

  test('of nothing is nothing', () => {
    expect(span(0, 36, 0, 900)).toEqual({ from: 0, to: 0 });
  });
});
