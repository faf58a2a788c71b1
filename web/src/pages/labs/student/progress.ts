/** What a student's page says of their way through a lab. No drawing. */

import type { Attempt, AttemptStep, CheckState } from '../shapes';

export type StepState = 'done' | 'begun' | 'open';

/** How it stands with a step: done, begun (something of it holds, or it was read), or not yet. */
export function stateOf(step: AttemptStep): StepState {
  if (step.done) return 'done';
  const some = step.checks.some(({ state }) => state === 'passed') || step.quizzes.some(({ answered }) => answered);
  return some || step.seen ? 'begun' : 'open';
}

/** How many steps are done, of how many. */
export function progress({ steps }: Pick<Attempt, 'steps'>): { n: number; all: number; share: number } {
  const n = steps.filter(({ done }) => done).length;
  return { n, all: steps.length, share: steps.length === 0 ? 0 : n / steps.length };
}

/** The step that is shown for what an address or the record says, within those that there are. */
export function within(wanted: string | undefined, step: number, count: number): number {
  const asked = wanted === undefined || wanted === '' ? Number.NaN : Number(wanted) - 1;
  const at = Number.isInteger(asked) ? asked : step;
  return Math.min(Math.max(0, at), Math.max(0, count - 1));
}

export const TONES = {
  passed: 'good',
  failed: 'bad',
  'timed-out': 'bad',
  'not-run': 'plain',
  running: 'accent',
} as const satisfies Record<CheckState, string>;

/** Checks that hold now and did not before: what is worth a word when it comes by itself. */
export function newlyPassed(before: AttemptStep | undefined, now: AttemptStep | undefined): string[] {
  if (!before || !now) return [];
  const held = new Set(before.checks.filter(({ state }) => state === 'passed').map(({ name }) => name));
  return now.checks.filter(({ name, state }) => state === 'passed' && !held.has(name)).map(({ title }) => title);
}
