/** What workspaces used: the columns that show it, and sums of it. No drawing. */

import { bytes, number } from '../../lib/format';
import type { Column } from '../../parts/table';
import type { Usage } from './api';

/** What can be added up. */
export type Amounts = Pick<Usage, 'cpu_hours' | 'memory_gb_hours' | 'save_bytes'>;

/** Whose or what for: each account for each course, or all of an account or of a course together. */
export const GROUPINGS = ['each', 'account', 'course'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface Sum extends Amounts {
  /** Tells it from others. */
  key: string;
  /** Nobody's alone if it is of a course. */
  username?: string;
  /** What they are called; may be empty. */
  name: string;
  /** None for what was no work of a course; and none if it is of an account. */
  course?: string;
}

export function total(rows: readonly Amounts[]): Amounts {
  return {
    cpu_hours: rows.reduce((sum, row) => sum + row.cpu_hours, 0),
    memory_gb_hours: rows.reduce((sum, row) => sum + row.memory_gb_hours, 0),
    save_bytes: rows.reduce((sum, row) => sum + row.save_bytes, 0),
  };
}

/** The rows, or sums of those that go together, in the order in which they come. */
export function summed(rows: readonly Usage[], by: Grouping): Sum[] {
  const groups = new Map<string, Usage[]>();
  for (const row of rows) {
    const course = row.course ?? '';
    const key = by === 'account' ? row.username : by === 'course' ? course : `${course}/${row.username}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups].map(([key, all]) => ({
    key,
    name: by === 'course' ? '' : (all.find(({ name }) => name)?.name ?? ''),
    ...(by !== 'course' && all[0] ? { username: all[0].username } : {}),
    ...(by !== 'account' && all[0]?.course ? { course: all[0].course } : {}),
    ...total(all),
  }));
}

/** The columns of what was used, by their titles. */
export function amounts<Row extends Amounts>(titles: { cpu: string; memory: string; saves: string }): Column<Row>[] {
  return [
    {
      id: 'cpu',
      title: titles.cpu,
      text: (row) => number(row.cpu_hours, 2),
      sort: (row) => row.cpu_hours,
      align: 'end',
    },
    {
      id: 'memory',
      title: titles.memory,
      text: (row) => number(row.memory_gb_hours, 2),
      sort: (row) => row.memory_gb_hours,
      align: 'end',
    },
    {
      id: 'saves',
      title: titles.saves,
      text: (row) => bytes(row.save_bytes),
      sort: (row) => row.save_bytes,
      align: 'end',
    },
  ];
}
