import { describe, expect, test } from 'vitest';
import { href, match, parse } from '../../src/lib/route.svelte';

describe('places', () => {
  test.each([
    ['', '/', {}],
    ['#', '/', {}],
    ['#/', '/', {}],
    ['#/apps', '/apps', {}],
    ['#/apps/', '/apps', {}],
    ['#apps', '/apps', {}],
    ['#/apps?filter=a+b&sort=-name', '/apps', { filter: 'a b', sort: '-name' }],
    ['#/apps/web?x=%3F%23', '/apps/web', { x: '?#' }],
  ])('%s', (hash, path, query) => {
    expect(parse(hash)).toEqual({ path, query });
  });

  test('an address read again is the same place', () => {
    const query = { filter: 'a&b=c?#%', tab: 'logs', empty: '' };
    expect(href('/apps/web', query)).not.toContain('empty');
    expect(parse(href('/apps/web', query))).toEqual({ path: '/apps/web', query: { filter: 'a&b=c?#%', tab: 'logs' } });
    expect(href('/apps', { page: 0, gone: null, away: undefined })).toBe('#/apps?page=0');
  });
});

describe('patterns', () => {
  test.each([
    ['/', '/', {}],
    ['/apps', '/apps', {}],
    ['/apps/:name', '/apps/web', { name: 'web' }],
    ['/apps/:name', '/apps/a%2Fb%20c', { name: 'a/b c' }],
    ['/apps/:name/:slot', '/apps/web/3', { name: 'web', slot: '3' }],
    ['/apps', '/apps/web', null],
    ['/apps/:name', '/apps', null],
    ['/apps/:name', '/hosts/web', null],
    // Nobody's address: no page, and no exception.
    ['/apps/:name', '/apps/%E0%A4%A', null],
  ])('%s of %s', (pattern, path, found) => {
    expect(match(pattern, path)).toEqual(found);
  });
});
