/** Plays a recording on a screen: on, still, faster, from elsewhere. The screen and the clock are given. */

import type { Cast } from './cast';

export interface PlayerPorts {
  screen: {
    write(text: string, drawn: () => void): void;
    clear(): void;
    resize(columns: number, rows: number): void;
  };
  /** Where it is, or whether it plays, is another now. */
  changed(): void;
  /** Milliseconds. */
  now(): number;
  /** Answers how to call it off. */
  later(ms: number, action: () => void): () => void;
}

const FRAME_MS = 40;

export class Player {
  readonly #ports: PlayerPorts;
  #cast: Cast;
  /** The first moment that is not on the screen. */
  #next = 0;
  #at = 0;
  #speed = 1;
  #since: number | null = null;
  #off: () => void = () => {};

  constructor(cast: Cast, ports: PlayerPorts) {
    this.#cast = cast;
    this.#ports = ports;
    this.#begin();
  }

  /** Seconds since the beginning. */
  get at(): number {
    return this.#at;
  }

  get duration(): number {
    return this.#cast.duration;
  }

  get isPlaying(): boolean {
    return this.#since !== null;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#advance();
    this.#speed = speed;
    this.#ports.changed();
  }

  /** From the beginning, if it is at its end. */
  play(): void {
    if (this.isPlaying) return;
    if (this.#at >= this.duration) this.#jump(0);
    this.#since = this.#ports.now();
    this.#tick();
  }

  pause(): void {
    this.#advance();
    this.#stand();
  }

  /** Goes to a moment; it plays on from there if it did. */
  seek(at: number): void {
    this.#jump(Math.min(Math.max(at, 0), this.duration));
    if (this.#since !== null) this.#since = this.#ports.now();
    this.#ports.changed();
  }

  /** The same recording with other pauses: it stays at the same output. */
  swap(cast: Cast): void {
    this.#advance();
    this.#cast = cast;
    this.#at = this.#next === 0 ? 0 : (cast.moments[this.#next - 1]?.at ?? 0);
    this.#ports.changed();
  }

  close(): void {
    this.#stand();
  }

  #begin(): void {
    this.#next = 0;
    this.#ports.screen.clear();
    this.#ports.screen.resize(this.#cast.columns, this.#cast.rows);
  }

  #stand(): void {
    this.#since = null;
    this.#off();
    this.#ports.changed();
  }

  #tick(): void {
    this.#advance();
    if (this.#at >= this.duration) return this.#stand();
    this.#ports.changed();
    this.#off = this.#ports.later(FRAME_MS, () => this.#tick());
  }

  /** To where it should be by now. */
  #advance(): void {
    if (this.#since === null) return;
    const now = this.#ports.now();
    const at = this.#at + ((now - this.#since) / 1000) * this.#speed;
    this.#since = now;
    this.#jump(Math.min(at, this.duration));
  }

  #jump(at: number): void {
    if (at < this.#at) this.#begin();
    this.#at = at;
    let text = '';
    const write = () => {
      if (text !== '') this.#ports.screen.write(text, () => {});
      text = '';
    };
    for (; this.#next < this.#cast.moments.length; this.#next += 1) {
      const moment = this.#cast.moments[this.#next];
      if (!moment || moment.at > at) break;
      if ('text' in moment.what) text += moment.what.text;
      else {
        write();
        this.#ports.screen.resize(moment.what.columns, moment.what.rows);
      }
    }
    write();
  }
}
