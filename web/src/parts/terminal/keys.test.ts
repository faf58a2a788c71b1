import { describe, expect, test } from 'vitest';
import { actionOf, isMac, type Key } from './keys';

function key(text: string): Key {
  const parts = text.split('+');
  const last = text.endsWith('++') ? '+' : (parts.at(-1) ?? '');
  const has = (name: string) => parts.slice(0, -1).includes(name);
  return { key: last, ctrlKey: has('Ctrl'), shiftKey: has('Shift'), altKey: has('Alt'), metaKey: has('Meta') };
}

describe('keys of a terminal', () => {
  test.each([
    ['Ctrl+c', false, 'type'],
    ['Ctrl+c', true, 'copy'],
    ['Ctrl+Shift+C', false, 'copy'],
    ['Ctrl+v', false, 'paste'],
    ['Ctrl+Shift+V', false, 'paste'],
    ['Ctrl+Shift+F', false, 'search'],
    ['Ctrl+f', false, 'type'],
    ['Ctrl+r', true, 'type'],
    ['Ctrl+k', false, 'type'],
    ['Ctrl+Alt+c', true, 'type'],
    ['Ctrl++', false, 'bigger'],
    ['Ctrl+-', false, 'smaller'],
    ['Ctrl+0', false, 'usual'],
    ['Ctrl+F6', false, 'leave'],
    ['F6', false, 'type'],
    ['c', true, 'type'],
    ['Meta+c', true, 'type'],
  ] as const)('%s with a selection: %s is for: %s', (text, hasSelection, action) => {
    expect(actionOf(key(text), hasSelection, false)).toBe(action);
  });

  test.each([
    ['Ctrl+c', true, 'type'],
    ['Ctrl+v', false, 'type'],
    ['Meta+c', true, 'copy'],
    ['Meta+c', false, 'type'],
    ['Meta+v', false, 'paste'],
    ['Meta+f', false, 'search'],
    ['Meta+0', false, 'usual'],
    ['Ctrl+F6', false, 'leave'],
  ] as const)('on a Mac %s with a selection: %s is for: %s', (text, hasSelection, action) => {
    expect(actionOf(key(text), hasSelection, true)).toBe(action);
  });

  test('a Mac is known by its name', () => {
    expect(['MacIntel', 'iPad', 'Linux x86_64', 'Win32'].map(isMac)).toEqual([true, true, false, false]);
  });
});
