import { expect, test } from 'vitest';
import { read } from './preferences.svelte';

test('what was kept is taken if it can be', () => {
  expect(read('{"font":18,"isReadable":true}')).toEqual({ font: 18, isReadable: true });
  for (const text of [null, '', 'null', '7', '{"font":400,"isReadable":"yes"}', '{"font":"14"}', '[]']) {
    expect(read(text), String(text)).toEqual({ font: 14, isReadable: false });
  }
});
