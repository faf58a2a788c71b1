/** Which terminal of a lab's environment is meant, and what is typed there. No drawing and no network. */

import type { TerminalRecord } from '../../../parts/terminal/api';

/** A terminal that a lab names. */
export interface LabTerminal {
  name: string;
  /** The first one without. */
  container?: string | null;
}

interface Box {
  id: string;
  name: string;
}

type Listed = Pick<TerminalRecord, 'id' | 'container' | 'name' | 'state' | 'created_at'>;

/** A terminal that nobody named bears the container's name, or the one that the engine has for that. */
function isUnnamed(name: string, box: string): boolean {
  return name === '' || name === box || name.startsWith('ph-');
}

export interface Meant {
  /** What the terminal is called. */
  name: string;
  /** The container that it is of. */
  container: Box;
  /** The one that is open already. */
  id: string | undefined;
}

/**
 * The terminal of a name: one that the lab has, or one of the container of that name. Without a name the one that is looked
 * at, or else the lab's first.
 */
export function meant(
  name: string | null | undefined,
  named: readonly LabTerminal[],
  boxes: readonly Box[],
  all: readonly Listed[],
  looked: string,
): Meant | undefined {
  const running = all.filter(({ state }) => state === 'running');
  if (name == null) {
    const one = running.find(({ id, container }) => id === looked && boxes.some((box) => box.id === container));
    const box = one && boxes.find(({ id }) => id === one.container);
    if (one && box) return { name: one.name, container: box, id: one.id };
  }
  const first = named[0] ?? { name: boxes[0]?.name ?? '', container: boxes[0]?.name ?? '' };
  const wanted: LabTerminal =
    name == null ? first : (named.find((one) => one.name === name) ?? { name, container: name });
  // A lab may name a terminal that it does not describe: then it is one of the first container.
  const box = boxes.find((one) => one.name === wanted.container) ?? boxes[0];
  if (!box) return undefined;
  const here = running
    .filter((one) => one.container === box.id)
    .sort((a, b) => a.created_at.localeCompare(b.created_at));
  // One that was opened ahead has no name yet: it is the first that the lab has of its container.
  const ofBox = named.find(({ container }) => (container ?? boxes[0]?.name) === box.name);
  const isFirst = wanted.name === box.name || wanted.name === ofBox?.name;
  const exact = here.filter((one) => one.name === wanted.name);
  const open = exact.length > 0 || !isFirst ? exact : here.filter(({ name }) => isUnnamed(name, box.name));
  return { name: wanted.name, container: box, id: open[0]?.id };
}
