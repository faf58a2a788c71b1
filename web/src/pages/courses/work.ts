/** How work stands, and how moments look: what pages of courses share. No drawing here. */

export type State = 'asked' | 'saving' | 'checking' | 'complete' | 'failed';
export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'plain';

interface Moment {
  at: string;
  local: string;
}

/** A moment as clocks show it where the course is given: `2026-12-01 18:00`. */
export function onTheWall(moment: Moment | null | undefined): string {
  return moment ? moment.local.slice(0, 16).replace('T', ' ') : '';
}

/** When a session is held, as on those clocks; its day is told once if it ends on the same. */
export function timesOf({ starts, ends }: { starts: string; ends: string }): string {
  const [from, to] = [starts, ends].map((local) => onTheWall({ at: local, local }));
  return `${from}–${to?.slice(0, 10) === from?.slice(0, 10) ? to?.slice(11) : to}`;
}

/** The same as a field for date and time takes it. */
export function forField(moment: Moment | null | undefined): string {
  return moment ? moment.local.slice(0, 16) : '';
}

/** Whether a zone shows another time than this browser does at that moment. */
export function isElsewhere(moment: Moment): boolean {
  const offset = /([+-])(\d\d):(\d\d)$/.exec(moment.local);
  const there = offset ? Number(`${offset[1]}1`) * (Number(offset[2]) * 60 + Number(offset[3])) : 0;
  return -new Date(moment.at).getTimezoneOffset() !== there;
}

/** How urgent it is: past, within a day, or later. */
export function urgency(moment: Moment | null | undefined, now: number): 'past' | 'soon' | 'later' | 'never' {
  if (!moment) return 'never';
  const left = Date.parse(moment.at) - now;
  if (left < 0) return 'past';
  return left < 24 * 3_600_000 ? 'soon' : 'later';
}

export const TONES: Readonly<Record<State, Tone>> = {
  asked: 'accent',
  saving: 'accent',
  checking: 'accent',
  complete: 'good',
  failed: 'bad',
};

export function isUnderWay(state: State): boolean {
  return state !== 'complete' && state !== 'failed';
}

/** Names that were typed or pasted: by lines, commas or spaces, each once. */
export function namesIn(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** The points that were typed: nothing given, given, or no number. */
export function pointsOf(text: string): number | null | undefined {
  const typed = text.trim().replace(',', '.');
  if (typed === '') return null;
  const points = Number(typed);
  return Number.isFinite(points) ? points : undefined;
}
