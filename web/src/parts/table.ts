/** What a table shows of its rows: which, in which order, and which of them are drawn. No drawing here. */

import type { Snippet } from 'svelte';

export interface Column<Row> {
  id: string;
  title: string;
  /** What is filtered by, and shown unless `cell` says otherwise. */
  text: (row: Row) => string;
  /** What is sorted by, if not the text; absent values come last. */
  sort?: (row: Row) => string | number | null | undefined;
  cell?: Snippet<[Row]>;
  /** Numbers stand at the end. */
  align?: 'start' | 'end';
  /** A CSS width; columns without one share the rest. */
  width?: string;
  /** Left out on a phone, or where the table is narrower than 900 px. */
  hide?: 'phone' | 'narrow';
  /** The title is for screen readers only. */
  bare?: boolean;
}

/** The rows in whose texts every word of the filter occurs, whatever the case. */
export function filtered<Row>(rows: readonly Row[], columns: readonly Column<Row>[], filter: string): readonly Row[] {
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return rows;
  return rows.filter((row) => {
    const text = columns
      .map((column) => column.text(row))
      .join('\n')
      .toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/** The rows by `id`, or `-id` for the other way round; what is equal stays in its order. */
export function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: string,
  locale = 'en',
): readonly Row[] {
  const backwards = sort.startsWith('-');
  const column = columns.find(({ id }) => id === (backwards ? sort.slice(1) : sort));
  if (!column) return rows;
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
  const keyed = rows.map((row) => ({ row, key: column.sort ? column.sort(row) : column.text(row) }));
  const isAbsent = (key: unknown) => key === null || key === undefined || key === '';
  keyed.sort((a, b) => {
    if (isAbsent(a.key) || isAbsent(b.key)) return Number(isAbsent(a.key)) - Number(isAbsent(b.key));
    const order =
      typeof a.key === 'number' && typeof b.key === 'number'
        ? a.key - b.key
        : collator.compare(String(a.key), String(b.key));
    return backwards ? -order : order;
  });
  return keyed.map(({ row }) => row);
}

/** What pressing a column's title makes of the order; empty is the `initial` one, that before anybody chose. */
export function nextSort(sort: string, id: string, initial = ''): string {
  if (sort === id) return `-${id}`;
  // Where that is this column's too, going back to it would change nothing.
  return sort === `-${id}` && initial !== sort ? '' : id;
}

/** Which rows are drawn: those that are seen, and some on either side. `top` is how far the first row is above the view. */
export function span(count: number, rowHeight: number, top: number, viewHeight: number): { from: number; to: number } {
  const SPARE = 12;
  const first = Math.floor(top / rowHeight) - SPARE;
  const from = Math.min(Math.max(0, first), Math.max(0, count - 1));
  const to = Math.min(count, Math.max(from, Math.ceil((top + viewHeight) / rowHeight) + SPARE));
  return { from, to };
}
