import { describe, expect, test } from 'vitest';
import type { Event } from '../../lib/live.svelte';
import { everyLab, names, oneAttempt, oneLab, rooted } from './api';

const event = (type: string, message: string) => ({ type, message, tags: [] }) as unknown as Event;

describe('what is shown of labs', () => {
  test('wakes by events of its own only', () => {
    const written = event('write-lab', 'lab=shell, file=steps/01.md');
    expect(oneLab('shell').wakeOn?.(written)).toBe(true);
    expect(oneLab('shell-2').wakeOn?.(written)).toBe(false);
    expect(oneLab('hell').wakeOn?.(written)).toBe(false);
    expect(everyLab.wakeOn?.(written)).toBe(true);
    expect(everyLab.wakeOn?.(event('attempt-check', 'attempt=a, lab=shell'))).toBe(false);
    expect(everyLab.wakeOn?.(event('change-label', 'x'))).toBe(false);
  });

  test('is not woken by each member of a class', () => {
    const mine = event('attempt-check', 'attempt=aaaaaaaaaa, lab=shell, account=li, step=1');
    expect(oneAttempt('aaaaaaaaaa').wakeOn?.(mine)).toBe(true);
    expect(oneAttempt('bbbbbbbbbb').wakeOn?.(mine)).toBe(false);
    expect(names(mine, 'account', 'l')).toBe(false);
  });

  test('has files by paths without a slash before them', () => {
    expect([rooted('/images/a.png'), rooted('a'), rooted('//a')]).toEqual(['images/a.png', 'a', 'a']);
  });
});
