/** What the command palette offers besides places: actions of the shell and of the page that is open. */

import { untrack } from 'svelte';

export interface Action {
  id: string;
  /** A verb first: "Scale web". */
  title: string;
  run: () => void;
}

class Palette {
  isOpen = $state(false);
  #providers = $state.raw<readonly (() => readonly Action[])[]>([]);

  get actions(): readonly Action[] {
    return this.#providers.flatMap((provide) => provide());
  }

  add(provide: () => readonly Action[]): () => void {
    this.#providers = [provide, ...this.#providers];
    return () => {
      this.#providers = this.#providers.filter((one) => one !== provide);
    };
  }
}

export const palette = new Palette();

/** Offers actions while the calling component is there. Call it while a component is set up. */
export function offer(provide: () => readonly Action[]): void {
  $effect(() => untrack(() => palette.add(provide)));
}
