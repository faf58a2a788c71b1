import { beforeEach, describe, expect, test } from 'vitest';
import { withoutPauses, type Cast } from './cast';
import { Player } from './player';

const cast: Cast = {
  title: '',
  columns: 80,
  rows: 24,
  moments: [
    { at: 1, what: { text: 'a' } },
    { at: 2, what: { columns: 100, rows: 30 } },
    { at: 2, what: { text: 'b' } },
    { at: 10, what: { text: 'c' } },
  ],
  duration: 10,
  entered: [],
  isCut: false,
};

let now: number;
let due: (() => void) | null;
let shown: string;
let player: Player;

/** Lets time pass in steps of a frame. */
function pass(seconds: number): void {
  const end = now + seconds * 1000;
  while (now < end) {
    now = Math.min(now + 40, end);
    const action = due;
    due = null;
    action?.();
  }
}

beforeEach(() => {
  now = 5_000;
  due = null;
  shown = '';
  player = new Player(cast, {
    screen: {
      write: (text) => (shown += text),
      clear: () => (shown = ''),
      resize: (columns, rows) => (shown += `[${columns}x${rows}]`),
    },
    changed: () => {},
    now: () => now,
    later: (_, action) => {
      due = action;
      return () => (due = null);
    },
  });
});

describe('a player', () => {
  test('shows what was printed when its time comes, and stands at the end', () => {
    expect([shown, player.isPlaying, player.at]).toEqual(['[80x24]', false, 0]);
    pass(5);
    expect(shown).toBe('[80x24]');
    player.play();
    pass(1.5);
    expect(shown).toBe('[80x24]a');
    pass(1);
    expect(shown).toBe('[80x24]a[100x30]b');
    pass(8);
    expect([shown, player.isPlaying, player.at]).toEqual(['[80x24]a[100x30]bc', false, 10]);
    player.play();
    pass(1.1);
    expect(shown).toBe('[80x24]a');
  });

  test('stands still, and goes on from there', () => {
    player.play();
    pass(1.5);
    player.pause();
    expect(player.at).toBeCloseTo(1.5);
    pass(100);
    expect(player.at).toBeCloseTo(1.5);
    player.play();
    pass(0.6);
    expect([shown, player.isPlaying]).toEqual(['[80x24]a[100x30]b', true]);
    player.close();
    expect(due).toBe(null);
  });

  test('plays faster, from where it is', () => {
    player.play();
    pass(1);
    player.speed = 4;
    pass(1);
    expect(player.at).toBeCloseTo(5);
  });

  test('goes anywhere, back too, whether or not it plays', () => {
    player.seek(5);
    expect([shown, player.isPlaying]).toEqual(['[80x24]a[100x30]b', false]);
    player.seek(1.2);
    expect([shown, player.at]).toEqual(['[80x24]a', 1.2]);
    player.play();
    player.seek(9.5);
    pass(0.6);
    expect([shown, player.isPlaying]).toEqual(['[80x24]a[100x30]bc', false]);
    player.seek(-1);
    expect([shown, player.at]).toEqual(['[80x24]', 0]);
    player.seek(1e9);
    expect(player.at).toBe(10);
  });

  test('stays at the same output when pauses are left out', () => {
    player.seek(10);
    player.swap(withoutPauses(cast, 2));
    expect([player.at, player.duration, shown]).toEqual([4, 4, '[80x24]a[100x30]bc']);
    player.seek(0);
    player.swap(cast);
    expect([player.at, player.duration]).toEqual([0, 10]);
  });
});
