import { describe, expect, test } from 'vitest';
import type { LabFile } from '../shapes';
import { firstOf, grouped, isImage, isPage, isPath, languageOf, reference } from './files';

const file = (path: string): LabFile => ({ path, digest: 'd', bytes: 1 });

describe('the files of a lab', () => {
  test('stand by their folders, the steps before the rest', () => {
    const all = ['images/b.png', 'steps/10-c.md', 'README.md', 'steps/2-b.md', 'lab.yaml', 'checks/a.sh'].map(file);
    expect(
      grouped(all, 'en').map(({ folder, files }) => `${folder}: ${files.map(({ name }) => name).join(' ')}`),
    ).toEqual([': lab.yaml README.md', 'steps: 2-b.md 10-c.md', 'checks: a.sh', 'images: b.png']);
    expect(firstOf(all, 'en')).toBe('steps/2-b.md');
    expect(firstOf([file('x.txt'), file('lab.yaml')], 'en')).toBe('lab.yaml');
    expect(firstOf([], 'en')).toBeUndefined();
  });

  test('have paths that lead nowhere else', () => {
    expect(['a', 'steps/01-a.md', 'ordner/datei mit leer.txt', '图/一.png'].every(isPath)).toBe(true);
    expect(['', '/a', 'a/', '../a', 'a/../b', './a', 'a//b', 'a\\b', 'a\0', 'c:x', 'x'.repeat(201)].some(isPath)).toBe(
      false,
    );
  });

  test('are told apart by their names', () => {
    expect([isPage('a/b.MD'), isPage('a.md.txt'), isImage('x.SVG'), isImage('x.sh')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(reference('images/my (1) pic.png')).toBe('/images/my%20%281%29%20pic.png');
  });

  test('are in the language that their name says, or in that of the steps', () => {
    const languages = ['en', 'zh'];
    expect(languageOf('steps/01-serve.zh.md', languages)).toBe('zh');
    expect(languageOf('steps/01-serve.md', languages)).toBe('en');
    expect(languageOf('steps/01.fr.md', languages)).toBe('en');
    expect(languageOf('steps/01.zh.md', [])).toBeUndefined();
  });
});
