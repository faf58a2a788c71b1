import { describe, expect, test } from 'vitest';
import { meant } from './terminals';

const boxes = [
  { id: 'c1', name: 'main' },
  { id: 'c2', name: 'db' },
];
const named = [
  { name: 'shell', container: 'main' },
  { name: 'client', container: 'db' },
];
const one = (id: string, container: string, name: string, state: 'running' | 'ended' = 'running', at = '1') => ({
  id,
  container,
  name,
  state,
  created_at: at,
});

describe('the terminal that is meant', () => {
  test('is the one of that name, opened if it is not', () => {
    expect(meant('client', named, boxes, [], '')).toEqual({ name: 'client', container: boxes[1], id: undefined });
    const all = [one('t1', 'c1', 'client'), one('t2', 'c2', 'client', 'ended'), one('t3', 'c2', 'client')];
    expect(meant('client', named, boxes, all, '')?.id).toBe('t3');
  });

  test('may be named as its container', () => {
    expect(meant('db', named, boxes, [one('t1', 'c2', 'db')], '')).toMatchObject({ container: boxes[1], id: 't1' });
    expect(meant('unknown', named, boxes, [], '')).toMatchObject({ name: 'unknown', container: boxes[0] });
  });

  test('may be one that was opened ahead, and has no name yet', () => {
    const ahead = [one('t1', 'c1', ''), one('t2', 'c2', 'ph-x')];
    expect(meant('shell', named, boxes, ahead, '')?.id).toBe('t1');
    expect(meant('client', named, boxes, ahead, '')?.id).toBe('t2');
    const two = [...named, { name: 'other', container: 'main' }];
    expect(meant('other', two, boxes, ahead, '')?.id).toBeUndefined();
    expect(meant('shell', named, boxes, [...ahead, one('t3', 'c1', 'shell')], '')?.id).toBe('t3');
  });

  test('is the one that is looked at if none is named, as long as it runs', () => {
    const all = [one('t1', 'c1', 'shell'), one('t2', 'c2', 'mine')];
    expect(meant(null, named, boxes, all, 't2')).toMatchObject({ name: 'mine', container: boxes[1], id: 't2' });
    expect(meant(undefined, named, boxes, all, 'gone')).toMatchObject({ name: 'shell', id: 't1' });
    expect(meant(null, named, boxes, [one('t2', 'c2', 'mine', 'ended')], 't2')).toMatchObject({
      name: 'shell',
      id: undefined,
    });
    // One of another workspace is not meant, whoever looks at it.
    expect(meant(null, named, boxes, [one('t9', 'c9', 'far')], 't9')).toMatchObject({ name: 'shell', id: undefined });
  });

  test('is the oldest of several, and of the first container if the lab names none', () => {
    const all = [one('t2', 'c1', 'main', 'running', '2'), one('t1', 'c1', 'main', 'running', '1')];
    expect(meant(null, [], boxes, all, '')).toMatchObject({ name: 'main', id: 't1' });
    expect(meant(null, [], [], all, '')).toBeUndefined();
  });
});
