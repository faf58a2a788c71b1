/** How a page is divided between two things beside each other, and that it is remembered. */

export const LEAST = 20;
export const MOST = 80;
const MIDDLE = 50;
const STEP = 2;
const LONG_STEP = 10;

/** A share within its bounds, in hundredths. */
export function bounded(share: number): number {
  if (!Number.isFinite(share)) return MIDDLE;
  return Math.min(MOST, Math.max(LEAST, Math.round(share)));
}

/** Where a key moves the divider; nothing if it is no such key. */
export function moved(share: number, key: string, isLong: boolean): number | undefined {
  const step = isLong ? LONG_STEP : STEP;
  switch (key) {
    case 'ArrowLeft':
      return bounded(share - step);
    case 'ArrowRight':
      return bounded(share + step);
    case 'Home':
      return LEAST;
    case 'End':
      return MOST;
    case 'Enter':
      return MIDDLE;
    default:
      return undefined;
  }
}

const keyOf = (name: string) => `pierhead.split.${name}`;

export function remembered(name: string): number {
  try {
    const found = localStorage.getItem(keyOf(name));
    return found === null ? MIDDLE : bounded(Number(found));
  } catch {
    return MIDDLE;
  }
}

export function remember(name: string, share: number): void {
  try {
    localStorage.setItem(keyOf(name), String(share));
  } catch {
    // Without storage it holds until the page is left.
  }
}
