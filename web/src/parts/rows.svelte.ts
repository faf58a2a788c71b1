/** Which rows of a long table are drawn, and which one the keyboard is at. The page scrolls, not the table. */

import { tick } from 'svelte';
import { span } from './table';

/** Up to so many are drawn all. */
const FEW = 120;

export class DrawnRows {
  /** The `tbody`; rows bear their place in `data-row`. */
  body = $state<HTMLElement>();
  height = $state(36);
  active = $state(-1);
  #seen = $state({ from: 0, to: FEW });
  readonly #count: () => number;
  readonly range = $derived.by(() => {
    const count = this.#count();
    if (count <= FEW) return { from: 0, to: count };
    return { from: Math.min(this.#seen.from, count), to: Math.min(this.#seen.to, count) };
  });

  /** Made while a component is set up. */
  constructor(count: () => number) {
    this.#count = count;
    $effect(() => {
      void count();
      if (this.body) this.#measure();
    });
    $effect(() => this.#follow());
  }

  /** Puts the keyboard on a row, which is scrolled to. */
  async moveTo(at: number): Promise<void> {
    const count = this.#count();
    if (!this.body || count === 0) return;
    this.active = Math.max(0, Math.min(count - 1, at));
    if (this.active < this.range.from || this.active >= this.range.to) {
      const top = scrollY + this.body.getBoundingClientRect().top + this.active * this.height;
      scrollTo({ top: top - innerHeight / 2 });
      this.#measure();
      await tick();
    }
    const row = this.body.querySelector<HTMLElement>(`tr[data-row="${this.active}"]`);
    (row?.querySelector<HTMLElement>('a') ?? row)?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: 'nearest' });
  }

  #measure(): void {
    if (!this.body) return;
    this.height = this.body.querySelector<HTMLElement>('tr[data-row]')?.offsetHeight || this.height;
    const next = span(this.#count(), this.height, -this.body.getBoundingClientRect().top, innerHeight);
    if (next.from !== this.#seen.from || next.to !== this.#seen.to) this.#seen = next;
  }

  #follow(): () => void {
    let frame = 0;
    const moved = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.#measure());
    };
    addEventListener('scroll', moved, { capture: true, passive: true });
    addEventListener('resize', moved);
    return () => {
      removeEventListener('scroll', moved, { capture: true });
      removeEventListener('resize', moved);
      cancelAnimationFrame(frame);
    };
  }
}
