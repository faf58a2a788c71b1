/** What was typed and not saved, while its editor is not shown: another tab, another page. It goes with the page itself. */

import type { Place } from './api';
import type { Text } from './text';

export interface Draft {
  /** The file as it was when somebody began to type. */
  found: Text;
  etag: string;
  text: string;
  /** Whether it is known that somebody else changed the file meanwhile. */
  isChanged: boolean;
}

const drafts = new Map<string, Draft>();

const keyOf = (place: Place, path: string) => JSON.stringify([place.workspace, place.container, path]);

export function keep(place: Place, path: string, draft: Draft): void {
  drafts.set(keyOf(place, path), draft);
}

/** Gives it back, once. */
export function take(place: Place, path: string): Draft | undefined {
  const key = keyOf(place, path);
  const draft = drafts.get(key);
  drafts.delete(key);
  return draft;
}
