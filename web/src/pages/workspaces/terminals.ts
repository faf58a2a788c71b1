/** Which terminals stand in the tabs of a workspace. No drawing and no network. */

import type { TerminalRecord } from '../../parts/terminal/api';
import type { OpenTerminal } from '../../parts/terminal/open.svelte';

type Listed = Pick<TerminalRecord, 'id' | 'container' | 'name' | 'state' | 'created_at'>;
type Box = { id: string; name: string };

function running(all: readonly Listed[], boxes: readonly Box[]): Listed[] {
  const ours = new Set(boxes.map(({ id }) => id));
  return all
    .filter((one) => one.state === 'running' && ours.has(one.container))
    .sort((one, other) => one.created_at.localeCompare(other.created_at));
}

/**
 * Those that are open in one of its containers, and those that were opened here just now or have ended since; without
 * those that were put away.
 */
export function tabsOf(
  all: readonly Listed[],
  boxes: readonly Box[],
  opened: readonly OpenTerminal[],
  closed: readonly string[],
): OpenTerminal[] {
  const names = new Map(boxes.map(({ id, name }) => [id, name]));
  const known = new Map(opened.map((one) => [one.id, one]));
  // One that nobody named bears the name that the engine has for the container.
  const called = (one: Listed) => (one.name === '' || one.name.startsWith('ph-') ? names.get(one.container) : one.name);
  for (const one of running(all, boxes)) known.set(one.id, { id: one.id, name: called(one) ?? '' });
  return [...known.values()].filter((one) => !closed.includes(one.id));
}

/**
 * Whether the first terminal is to be opened by itself: the list has come, and nothing is open in it. Null as long as that
 * is not known.
 */
export function isFirstDue(all: readonly Listed[] | undefined, boxes: readonly Box[]): boolean | null {
  return all === undefined || boxes.length === 0 ? null : running(all, boxes).length === 0;
}
