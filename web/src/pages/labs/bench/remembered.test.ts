import { afterEach, describe, expect, test, vi } from 'vitest';
import { benchOf, remember, remembered } from './remembered';

const one = (id: string, environment: string, more = {}) => ({ id, environment, owner: 'li', phase: 'ready', ...more });

describe('the workspace in which a lab is tried', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('is the one of the draft, or the one that was opened here', () => {
    const all = [
      one('a', 'lab-shell'),
      one('b', 'lab-shell-draft'),
      one('c', 'lab-very-long-name-cut-9f3a'),
      one('d', 'x'),
    ];
    expect(benchOf('shell', all, 'li', undefined)?.id).toBe('b');
    expect(benchOf('very-long-name-that-is-cut', all, 'li', 'c')?.id).toBe('c');
    expect(benchOf('other', all, 'li', 'd')).toBeUndefined();
    expect(benchOf('shell', all, 'mia', 'b')).toBeUndefined();
    expect(benchOf('shell', [one('b', 'lab-shell-draft', { phase: 'ended' })], 'li', 'b')).toBeUndefined();
  });

  test('is remembered where that is possible', () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: kept.set.bind(kept) });
    remember('shell', 'b');
    expect([remembered('shell'), remembered('other')]).toEqual(['b', undefined]);
    vi.stubGlobal('localStorage', undefined);
    expect(() => remember('shell', 'b')).not.toThrow();
    expect(remembered('shell')).toBeUndefined();
  });
});
