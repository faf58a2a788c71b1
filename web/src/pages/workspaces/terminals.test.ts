import { describe, expect, test } from 'vitest';
import { isFirstDue, tabsOf } from './terminals';

const boxes = [
  { id: 'c1', name: 'main' },
  { id: 'c2', name: 'db' },
];
const listed = (id: string, container: string, name: string, at = 1, state: 'running' | 'ended' = 'running') => ({
  id,
  container,
  name,
  state,
  created_at: `2026-01-01T00:00:0${at}Z`,
});

describe('the tabs of a workspace', () => {
  test('are the terminals of its containers that run, in the order in which they were opened', () => {
    const all = [
      listed('t2', 'c2', 'ph-abc-db.1', 2),
      listed('t1', 'c1', 'tests', 1),
      listed('t3', 'c1', 'ended', 3, 'ended'),
      listed('t4', 'elsewhere', 'not ours', 4),
    ];
    expect(tabsOf(all, boxes, [], [])).toEqual([
      { id: 't1', name: 'tests' },
      { id: 't2', name: 'db' },
    ]);
  });

  test('keep those that ended while one looked, and lose those that were put away', () => {
    const all = [listed('t1', 'c1', ''), listed('t3', 'c1', 'over', 3, 'ended')];
    const opened = [{ id: 't3', name: 'over' }];
    expect(tabsOf(all, boxes, opened, [])).toEqual([
      { id: 't3', name: 'over' },
      { id: 't1', name: 'main' },
    ]);
    expect(tabsOf(all, boxes, opened, ['t1', 't3'])).toEqual([]);
  });
});

describe('the first terminal', () => {
  test('is due once the list is known to have none', () => {
    expect(isFirstDue(undefined, boxes)).toBeNull();
    expect(isFirstDue([], [])).toBeNull();
    expect(isFirstDue([], boxes)).toBe(true);
    expect(isFirstDue([listed('t1', 'c2', '')], boxes)).toBe(false);
    expect(isFirstDue([listed('t1', 'c2', '', 1, 'ended'), listed('t2', 'other', '')], boxes)).toBe(true);
  });
});
