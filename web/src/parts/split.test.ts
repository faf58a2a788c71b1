import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bounded, moved, remember, remembered } from './split';

describe('a divider', () => {
  test('leaves room on both sides', () => {
    expect([-5, 0, 33.4, 50, 99, Number.NaN].map(bounded)).toEqual([20, 20, 33, 50, 80, 50]);
  });

  test('is moved by keys, in small steps and long ones', () => {
    expect(moved(50, 'ArrowLeft', false)).toBe(48);
    expect(moved(50, 'ArrowRight', true)).toBe(60);
    expect(moved(21, 'ArrowLeft', true)).toBe(20);
    expect([moved(33, 'Home', false), moved(33, 'End', false), moved(33, 'Enter', false)]).toEqual([20, 80, 50]);
    expect(moved(50, 'a', false)).toBeUndefined();
  });

  describe('is where it was left', () => {
    let kept: Map<string, string>;
    beforeEach(() => {
      kept = new Map();
      vi.stubGlobal('localStorage', {
        getItem: (key: string) => kept.get(key) ?? null,
        setItem: (key: string, value: string) => kept.set(key, value),
      });
    });
    afterEach(() => vi.unstubAllGlobals());

    test('for each page of its own', () => {
      remember('a', 33);
      expect([remembered('a'), remembered('b')]).toEqual([33, 50]);
      kept.set('pierhead.split.a', 'nonsense');
      expect(remembered('a')).toBe(50);
    });

    test('or in the middle, if nothing can be kept', () => {
      vi.stubGlobal('localStorage', undefined);
      expect(() => remember('a', 33)).not.toThrow();
      expect(remembered('a')).toBe(50);
    });
  });
});
