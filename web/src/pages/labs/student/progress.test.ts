import { describe, expect, test } from 'vitest';
import type { AttemptStep, CheckState } from '../shapes';
import { newlyPassed, progress, stateOf, within } from './progress';

const check = (name: string, state: CheckState) => ({
  name,
  title: `the ${name}`,
  continuous: false,
  state,
  score: 0,
  most: 1,
});
const step = (more: Partial<AttemptStep> = {}): AttemptStep => ({
  title: 'A step',
  seen: false,
  done: false,
  checks: [],
  quizzes: [],
  hints_opened: [],
  ...more,
});

describe('the way through a lab', () => {
  test('is told step by step', () => {
    expect(stateOf(step())).toBe('open');
    expect(stateOf(step({ seen: true }))).toBe('begun');
    expect(stateOf(step({ checks: [check('a', 'passed'), check('b', 'failed')] }))).toBe('begun');
    expect(stateOf(step({ quizzes: [{ name: 'q', answered: true, right: false, score: 0, most: 1 }] }))).toBe('begun');
    expect(stateOf(step({ done: true, seen: true }))).toBe('done');
  });

  test('counts steps that are done', () => {
    expect(progress({ steps: [step({ done: true }), step(), step()] })).toEqual({ n: 1, all: 3, share: 1 / 3 });
    expect(progress({ steps: [] })).toEqual({ n: 0, all: 0, share: 0 });
  });

  test('is at the step of the address, else where one was', () => {
    expect([within(undefined, 2, 5), within('', 2, 5), within('1', 2, 5), within('5', 2, 5)]).toEqual([2, 2, 0, 4]);
    expect([within('99', 2, 5), within('-3', 2, 5), within('x', 2, 5), within('1.5', 2, 5)]).toEqual([4, 0, 2, 2]);
    expect([within(undefined, 9, 3), within(undefined, 0, 0)]).toEqual([2, 0]);
  });

  test('tells what passed by itself, once', () => {
    const before = step({ checks: [check('a', 'passed'), check('b', 'failed'), check('c', 'not-run')] });
    const now = step({ checks: [check('a', 'passed'), check('b', 'passed'), check('c', 'failed')] });
    expect(newlyPassed(before, now)).toEqual(['the b']);
    expect(newlyPassed(now, now)).toEqual([]);
    expect(newlyPassed(undefined, now)).toEqual([]);
  });
});
