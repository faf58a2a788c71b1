import { expect, test } from 'vitest';
import { added, after, numbered, read } from './open.svelte';

const list = (...ids: string[]) => ids.map((id) => ({ id, name: id.toUpperCase() }));

test('what was kept is taken if it can be', () => {
  expect(read(JSON.stringify([...list('a'), { id: 7, name: 'x' }, null, { id: 'b' }]))).toEqual(list('a'));
  expect(['{', null, '{}', '7'].map(read)).toEqual([[], [], [], []]);
  expect(read(JSON.stringify(list(...'abcdefghijklmnop'))).length).toBe(12);
});

test('each is open once, and they are not too many', () => {
  expect(added(list('a', 'b'), { id: 'a', name: 'new' })).toEqual([{ id: 'a', name: 'new' }, ...list('b')]);
  expect(added(list('a', 'b'), { id: 'a', name: '' })).toEqual(list('a', 'b'));
  expect(added(list(...'abcdefghijkl'), { id: 'm', name: 'M' })).toEqual(list(...'bcdefghijklm'));
});

test('after one is closed its neighbour is looked at', () => {
  expect(after(list('a', 'b', 'c'), 'b')).toBe('c');
  expect(after(list('a', 'b', 'c'), 'c')).toBe('b');
  expect(after(list('a'), 'a')).toBeNull();
  expect(after(list('a', 'b'), 'gone')).toBe('a');
});

test('names are told apart', () => {
  expect(numbered(['web', 'sh', 'web', 'web'])).toEqual(['web', 'sh', 'web 2', 'web 3']);
});
