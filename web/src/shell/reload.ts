/** When a page that could not be loaded begins anew by itself. */

const KEPT = 'pierhead.reload';
const FIRST_MS = 500;
/** If beginning anew did not help, it hardly helps a moment later. */
const APART_MS = 20_000;

/** How long to wait, in milliseconds; and from then on it counts as done. */
export function again(now: number, store: Pick<Storage, 'getItem' | 'setItem'>): number {
  const last = Number(store.getItem(KEPT) ?? 0);
  const due = Math.max(now + FIRST_MS, last + APART_MS);
  store.setItem(KEPT, String(due));
  return due - now;
}
