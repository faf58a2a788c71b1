/** A recording that is played in the page: its file, its screen and its player, as the components see them. */

import { untrack } from 'svelte';
import { after, before, readCast, shortened, withoutPauses, type Cast } from './cast';
import { Player } from './player';
import { preferences } from './preferences.svelte';
import { draw, type XtermScreen } from './screen';
import { looks } from './window.svelte';

/** A pause that is longer is not worth waiting for, in seconds. */
const LONGEST_PAUSE = 2;

export class Playback {
  /** The file could not be had. */
  error = $state.raw<unknown>(null);
  /** It is there, but no recording. */
  isUnreadable = $state(false);
  cast = $state.raw<Cast | null>(null);
  at = $state(0);
  duration = $state(0);
  isPlaying = $state(false);
  speed = $state(1);
  hasPauses = $state(false);
  #player: Player | null = null;
  #screen: XtermScreen | null = null;
  readonly #load: (signal: AbortSignal) => Promise<Response>;

  /** How its file is had. */
  constructor(load: (signal: AbortSignal) => Promise<Response>) {
    this.#load = load;
  }

  /** Loads it and draws it into an element; answers how to end that. */
  show(place: HTMLElement): () => void {
    const gone = new AbortController();
    void this.#begin(place, gone.signal);
    return () => {
      gone.abort();
      this.#player?.close();
      this.#screen?.dispose();
      this.#screen = this.#player = null;
    };
  }

  async #begin(place: HTMLElement, gone: AbortSignal): Promise<void> {
    try {
      const cast = readCast(await (await this.#load(gone)).text());
      if (!cast) {
        this.isUnreadable = true;
        return;
      }
      const nothing = () => {};
      const screen = await draw(place, untrack(looks), {
        typed: nothing,
        replied: nothing,
        title: nothing,
        link: nothing,
        action: nothing,
        room: nothing,
        found: nothing,
      });
      if (gone.aborted) return screen.dispose();
      screen.isTaking = false;
      this.#screen = screen;
      this.cast = cast;
      this.#player = new Player(this.#timed(cast), {
        screen,
        changed: () => this.#look(),
        now: () => performance.now(),
        later: (ms, action) => {
          const timer = setTimeout(action, ms);
          return () => clearTimeout(timer);
        },
      });
      this.#look();
      this.#player.play();
    } catch (error) {
      if (!gone.aborted) this.error = error;
    }
  }

  #timed(cast: Cast): Cast {
    return this.hasPauses ? cast : withoutPauses(cast, LONGEST_PAUSE);
  }

  #look(): void {
    const player = this.#player;
    if (!player) return;
    this.at = player.at;
    this.duration = player.duration;
    this.isPlaying = player.isPlaying;
    this.speed = player.speed;
  }

  toggle(): void {
    if (this.isPlaying) this.#player?.pause();
    else this.#player?.play();
  }

  seek(at: number): void {
    this.#player?.seek(at);
  }

  /** When lines were entered, as it is played now. */
  get entered(): readonly number[] {
    return this.cast ? this.#timed(this.cast).entered : [];
  }

  /** Goes to the line that was entered before, or after. */
  step(way: 'back' | 'on'): void {
    const to = way === 'back' ? (before(this.entered, this.at) ?? 0) : after(this.entered, this.at);
    if (to !== undefined) this.seek(to);
  }

  /** Where a moment of the file is, as it is played now. */
  timed(seconds: number): number {
    return this.cast && !this.hasPauses ? shortened(this.cast, LONGEST_PAUSE, seconds) : seconds;
  }

  setSpeed(speed: number): void {
    if (this.#player) this.#player.speed = speed;
  }

  setPauses(has: boolean): void {
    this.hasPauses = has;
    if (this.cast) this.#player?.swap(this.#timed(this.cast));
  }

  /** Follows what was chosen for looks; reads it, so an effect that calls it is run anew by a change. */
  dress(): void {
    void preferences.font;
    this.#screen?.set(looks());
  }
}
