import { describe, expect, test } from 'vitest';
import { inOrder, isFile, isFolder, isName, join, nameOf, named, parentOf, shown, wayTo, type Listed } from './paths';

const listed = (path: string, kind = 'file', leads_to?: string): Listed => ({
  name: nameOf(path),
  path,
  kind,
  ...(leads_to ? { leads_to } : {}),
});

describe('a path', () => {
  test('is a folder and a name', () => {
    expect([join('/', 'a'), join('/a', 'b')]).toEqual(['/a', '/a/b']);
    expect([parentOf('/a/b'), parentOf('/a'), parentOf('/')]).toEqual(['/a', '/', '/']);
    expect([nameOf('/a/b'), nameOf('/')]).toEqual(['b', '']);
    expect(wayTo('/a/b/c')).toEqual(['/', '/a', '/a/b']);
    expect(wayTo('/a')).toEqual(['/']);
  });

  test('has names that are written as the API reads them', () => {
    expect(named('100% sure')).toBe('100%25 sure');
    expect(['a', '..a', '文件', '%', 'a b'].every(isName)).toBe(true);
    expect(['', '.', '..', 'a/b', 'a\0', '文'.repeat(86)].some(isName)).toBe(false);
  });
});

describe('the files of a folder', () => {
  test('stand in an order that people expect, folders first', () => {
    const all = [
      listed('/b10'),
      listed('/b2'),
      listed('/z', 'folder'),
      listed('/A'),
      listed('/y', 'link', 'folder'),
      listed('/x', 'link'),
    ];
    expect(inOrder(all, 'en-GB').map((entry) => entry.path)).toEqual(['/y', '/z', '/A', '/b2', '/b10', '/x']);
    expect(all.map((entry) => entry.path)[0]).toBe('/b10');
  });

  test('are what links lead to', () => {
    expect(isFolder(listed('/a', 'link', 'folder'))).toBe(true);
    expect(isFile(listed('/a', 'link', 'file'))).toBe(true);
    const gone = listed('/a', 'link');
    expect(isFolder(gone) || isFile(gone) || isFile(listed('/a', 'other'))).toBe(false);
  });

  test('are shown below their folder, if that is open and was looked into', () => {
    const inside: Record<string, Listed[]> = {
      '/': [listed('/a', 'folder'), listed('/b', 'folder'), listed('/c')],
      '/a': [listed('/a/d', 'folder'), listed('/a/e')],
    };
    const rows = (...open: string[]) =>
      shown('/', new Set(open), (path) => inside[path]).map(({ entry, depth }) => `${depth} ${entry.path}`);
    expect(rows()).toEqual(['1 /a', '1 /b', '1 /c']);
    expect(rows('/a', '/a/d', '/b')).toEqual(['1 /a', '2 /a/d', '2 /a/e', '1 /b', '1 /c']);
    expect(rows('/a/d')).toEqual(['1 /a', '1 /b', '1 /c']);
  });
});
