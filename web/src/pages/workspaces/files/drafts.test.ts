import { expect, test } from 'vitest';
import { keep, take } from './drafts';

test('what was typed is given back once, to the file that it is of', () => {
  const place = { workspace: 'k3f5a2bq7x', container: 'main' };
  const draft = { found: { text: 'a', ends: '\n' as const }, etag: '"1"', text: 'ab', isChanged: true };
  keep(place, '/a', draft);
  expect(take({ ...place, container: 'db' }, '/a')).toBeUndefined();
  expect(take({ ...place, workspace: 'another' }, '/a')).toBeUndefined();
  expect(take(place, '/b')).toBeUndefined();
  expect(take(place, '/a')).toEqual(draft);
  expect(take(place, '/a')).toBeUndefined();
});
