import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Tree } from './tree.svelte';

type Entry = { name: string; path: string; kind: string };
let inside: Record<string, Entry[]>;
let asked: string[];

const entry = (path: string, kind = 'file'): Entry => ({ name: path.slice(path.lastIndexOf('/') + 1), path, kind });

beforeEach(() => {
  inside = {
    '/': [entry('/z'), entry('/a', 'folder')],
    '/a': [entry('/a/b', 'folder')],
    '/a/b': [entry('/a/b/c')],
  };
  asked = [];
  vi.stubGlobal('document', { baseURI: 'http://console/' });
  vi.stubGlobal('fetch', (url: URL) => {
    const path = url.searchParams.get('path') ?? '';
    asked.push(`${url.searchParams.get('container')} ${path}`);
    const entries = inside[path];
    if (!entries) return Promise.resolve(Response.json({ code: 'no_such_file', message: 'gone' }, { status: 404 }));
    return Promise.resolve(Response.json({ container: 'main', path, entries, has_more: path === '/a/b' }));
  });
});
afterEach(() => vi.unstubAllGlobals());

const tree = () => new Tree({ workspace: 'k3f5a2bq7x', container: 'main' });
const paths = (of: Tree) => of.rows.map(({ entry: { path } }) => path);

describe('the tree of a container', () => {
  test('asks for a folder when it is opened, and once', async () => {
    const one = tree();
    expect([one.isThere, paths(one)]).toEqual([false, []]);
    await one.look('/');
    expect([one.isThere, paths(one)]).toEqual([true, ['/a', '/z']]);
    await one.expand('/a');
    one.collapse('/a');
    await one.expand('/a');
    expect(paths(one)).toEqual(['/a', '/a/b', '/z']);
    expect(asked).toEqual(['main /', 'main /a']);
  });

  test('shows the way to a file, and says where there is more', async () => {
    const one = tree();
    await one.reveal('/a/b/c');
    expect(paths(one)).toEqual(['/a', '/a/b', '/a/b/c', '/z']);
    expect(one.find('/a/b/c')?.kind).toBe('file');
    expect([one.crowded('/a/b'), one.crowded('/a')]).toEqual([1, undefined]);
  });

  test('closes a folder that is gone, says so, and keeps the rest', async () => {
    const one = tree();
    await one.reveal('/a/b/c');
    delete inside['/a'];
    inside['/'] = [entry('/z')];
    await one.again();
    expect(paths(one)).toEqual(['/z']);
    expect(one.open.has('/a')).toBe(false);
    expect(one.busy).toBe(0);
    await one.expand('/a');
    expect(one.error?.code).toBe('no_such_file');
    expect(paths(one)).toEqual(['/z']);
  });
});
