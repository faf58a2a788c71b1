import { describe, expect, test } from 'vitest';
import { at } from './bench.svelte';

describe('the address of a preview', () => {
  const begin = 'http://8000-k3f5a2bq7x.preview.localhost:8080/?pierhead-ticket=abc';
  test.each([
    ['/', '/?pierhead-ticket=abc'],
    ['/a/b', '/a/b?pierhead-ticket=abc'],
    ['/a?x=1&y=%202#there', '/a?pierhead-ticket=abc&x=1&y=+2#there'],
    // It never leads to another host.
    ['//elsewhere.example/x', '/elsewhere.example/x?pierhead-ticket=abc'],
    ['/\\elsewhere.example', '/elsewhere.example?pierhead-ticket=abc'],
  ])('of %s is below the port', (path, wanted) => {
    expect(at(begin, path)).toBe(`http://8000-k3f5a2bq7x.preview.localhost:8080${wanted}`);
  });
});
