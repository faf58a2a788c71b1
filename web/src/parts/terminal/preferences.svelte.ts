/** How somebody wants terminals to look in this browser. */

import { FONTS, nextFont, USUAL_FONT } from './fit';

const KEPT = 'pierhead.terminal';

interface Kept {
  font: number;
  isReadable: boolean;
}

/** What was kept, if it is something that can be. */
export function read(text: string | null): Kept {
  try {
    const found = JSON.parse(text ?? '{}') as { font?: unknown; isReadable?: unknown } | null;
    const font = FONTS.find((one) => one === found?.font) ?? USUAL_FONT;
    return { font, isReadable: found?.isReadable === true };
  } catch {
    return { font: USUAL_FONT, isReadable: false };
  }
}

class Preferences {
  font = $state(USUAL_FONT);
  /** Whether what is printed is also there for screen readers. */
  isReadable = $state(false);

  constructor() {
    Object.assign(this, read(globalThis.localStorage?.getItem(KEPT) ?? null));
  }

  zoom(direction: 1 | -1 | 0): void {
    this.font = direction === 0 ? USUAL_FONT : nextFont(this.font, direction);
    this.#keep();
  }

  setReadable(is: boolean): void {
    this.isReadable = is;
    this.#keep();
  }

  #keep(): void {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ font: this.font, isReadable: this.isReadable }));
    } catch {
      // Without storage it holds until the page is left.
    }
  }
}

export const preferences = new Preferences();
