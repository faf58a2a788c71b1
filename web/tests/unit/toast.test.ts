import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Toasts } from '../../src/lib/toast.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const texts = (toasts: Toasts) => toasts.notes.map(({ text }) => text).join(' ');

test('notes go by themselves, failures stay', () => {
  const toasts = new Toasts();
  toasts.done('scaled', () => {});
  toasts.say('heard');
  toasts.failed('broke', new Error('why'));
  vi.advanceTimersByTime(6_000);
  expect(texts(toasts)).toBe('scaled broke');
  vi.advanceTimersByTime(6_000);
  expect(texts(toasts)).toBe('broke');
});

test('one that somebody points at stays until they are gone, and then for its time', () => {
  const toasts = new Toasts();
  toasts.done('scaled', () => {});
  vi.advanceTimersByTime(11_000);
  const id = toasts.notes[0]?.id ?? 0;
  toasts.hold(id);
  vi.advanceTimersByTime(60_000);
  expect(texts(toasts)).toBe('scaled');
  toasts.release(id);
  vi.advanceTimersByTime(11_999);
  expect(texts(toasts)).toBe('scaled');
  vi.advanceTimersByTime(1);
  expect(texts(toasts)).toBe('');
  // What is gone, or was to stay, is not begun anew.
  toasts.release(id);
  toasts.failed('broke', new Error('why'));
  toasts.hold(toasts.notes[0]?.id ?? 0);
  toasts.release(toasts.notes[0]?.id ?? 0);
  vi.advanceTimersByTime(60_000);
  expect(texts(toasts)).toBe('broke');
});
