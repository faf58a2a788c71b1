import { afterEach, expect, test, vi } from 'vitest';
import { settings } from '../../src/lib/settings.svelte';

afterEach(() => vi.unstubAllGlobals());

test('the theme follows the system, and nothing piles up however often that changes', () => {
  const made: { matches: boolean; onchange?: () => void }[] = [];
  vi.stubGlobal('matchMedia', () => {
    const query = { matches: false };
    made.push(query);
    return query;
  });
  const dataset: Record<string, string> = {};
  vi.stubGlobal('document', { documentElement: { dataset } });
  settings.apply();
  expect(settings.shown).toBe('light');
  for (let again = 0; again < 10; again++) {
    const isDark = again % 2 === 0;
    for (const query of [...made]) {
      query.matches = isDark;
      query.onchange?.();
    }
    expect(settings.shown).toBe(isDark ? 'dark' : 'light');
  }
  expect(made).toHaveLength(1);
  settings.set({ theme: 'dark' });
  expect([settings.shown, dataset.theme]).toEqual(['dark', 'dark']);
  settings.set({ theme: 'system' });
  expect([settings.shown, made.length]).toEqual(['light', 1]);
});
