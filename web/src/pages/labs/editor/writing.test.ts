import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../../lib/api';
import { Writing, type Place } from './writing.svelte';

/** A lab of one file, in which others write too. */
class Lab implements Place {
  text: string;
  version = 1;
  isThere = true;
  isDown = false;
  writes: string[] = [];
  /** What happens while a write is on its way. */
  meanwhile: (() => void) | undefined;

  constructor(text: string) {
    this.text = text;
  }
  get etag(): string {
    return `"v${this.version}"`;
  }
  other(text: string): void {
    this.text = text;
    this.version += 1;
  }
  async open() {
    await Promise.resolve();
    if (this.isDown) throw new ApiError(0, 'offline', 'away');
    if (!this.isThere) throw new ApiError(404, 'not_found', 'no such file');
    return { etag: this.etag, content: { text: this.text, ends: '\n' as const } };
  }
  async write(text: string, _ends: '\n' | '\r\n', only: { etag: string } | 'absent') {
    await Promise.resolve();
    this.meanwhile?.();
    this.meanwhile = undefined;
    if (this.isDown) throw new ApiError(0, 'offline', 'away');
    const fits = only === 'absent' ? !this.isThere : this.isThere && only.etag === this.etag;
    if (!fits) throw new ApiError(412, 'changed_meanwhile', 'li changed it at 12:03');
    this.isThere = true;
    this.writes.push(text);
    this.other(text);
    return this.etag;
  }
}

async function opened(text = 'one\ntwo\nthree\nfour\n') {
  const lab = new Lab(text);
  const writing = new Writing(lab);
  await writing.load();
  return { lab, writing };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a text that somebody writes', () => {
  test('saves itself after a pause, and not for each key', async () => {
    const { lab, writing } = await opened();
    writing.typed('one!\ntwo\nthree\nfour\n');
    writing.typed('one!!\ntwo\nthree\nfour\n');
    expect([writing.state, writing.isDirty]).toEqual(['typing', true]);
    await vi.advanceTimersByTimeAsync(900);
    expect(lab.writes).toEqual(['one!!\ntwo\nthree\nfour\n']);
    expect([writing.state, writing.isDirty]).toEqual(['saved', false]);
  });

  test('is saved in between by whoever types on and on', async () => {
    const { lab, writing } = await opened('');
    for (let n = 1; n <= 30; n++) {
      writing.typed('x'.repeat(n));
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(lab.writes.length).toBeGreaterThanOrEqual(1);
    await vi.advanceTimersByTimeAsync(900);
    expect(lab.text).toBe('x'.repeat(30));
  });

  test('is not saved if it is as it was', async () => {
    const { lab, writing } = await opened('a');
    writing.typed('ab');
    writing.typed('a');
    await vi.advanceTimersByTimeAsync(9_000);
    expect([lab.writes, writing.state]).toEqual([[], 'saved']);
  });

  test('keeps what was typed while it was being saved', async () => {
    const { lab, writing } = await opened('a');
    writing.typed('ab');
    lab.meanwhile = () => writing.typed('abc');
    await writing.save();
    await vi.advanceTimersByTimeAsync(900);
    expect([lab.writes, lab.text, writing.state]).toEqual([['ab', 'abc'], 'abc', 'saved']);
  });

  test('stays when it can’t be saved, and is saved by the next key', async () => {
    const { lab, writing } = await opened('a');
    lab.isDown = true;
    writing.typed('ab');
    await vi.advanceTimersByTimeAsync(900);
    expect([writing.state, writing.text, writing.error?.code]).toEqual(['unsaved', 'ab', 'offline']);
    lab.isDown = false;
    writing.typed('abc');
    await vi.advanceTimersByTimeAsync(900);
    expect([lab.text, writing.state, writing.error]).toEqual(['abc', 'saved', undefined]);
  });

  test('is saved when it is left', async () => {
    const { lab, writing } = await opened('a');
    writing.typed('ab');
    await writing.close();
    expect(lab.text).toBe('ab');
  });
});

describe('two who write the same text', () => {
  test('see at once what the other wrote, if they wrote nothing themselves', async () => {
    const { lab, writing } = await opened('a');
    const { turn } = writing;
    lab.other('ab');
    await writing.follow('v2');
    expect([writing.text, writing.state]).toEqual(['ab', 'saved']);
    expect(writing.turn).toBeGreaterThan(turn);
    // What is their own already changes nothing.
    const now = writing.turn;
    await writing.follow('v2');
    expect(writing.turn).toBe(now);
  });

  test('are shown nothing older than what they saved while it was read', async () => {
    const { lab, writing } = await opened('a');
    lab.other('ab');
    const older = await lab.open();
    const { open } = lab;
    let answer = () => {};
    lab.open = () => new Promise((done) => (answer = () => done(older)));
    const followed = writing.follow('v2');
    lab.open = open;
    writing.typed('ac');
    await writing.save();
    await vi.dynamicImportSettled();
    await vi.waitFor(() => expect(writing.state).toBe('conflict'));
    await writing.settle('mine');
    expect([lab.text, writing.state]).toEqual(['ac', 'saved']);
    answer();
    await followed;
    expect([writing.text, writing.state]).toEqual(['ac', 'saved']);
  });

  test('overwrite nothing: the second is shown both, put together', async () => {
    const { lab, writing } = await opened();
    lab.other('ONE\ntwo\nthree\nfour\n');
    writing.typed('one\ntwo\nthree\nfour\nfive\n');
    await vi.advanceTimersByTimeAsync(900);
    // What puts texts together is loaded now.
    await vi.dynamicImportSettled();
    await vi.waitFor(() => expect(writing.conflict).toBeDefined());
    expect(writing.state).toBe('conflict');
    expect(writing.conflict).toMatchObject({
      theirs: 'ONE\ntwo\nthree\nfour\n',
      overlaps: 0,
      said: 'li changed it at 12:03',
    });
    expect(writing.text).toBe('ONE\ntwo\nthree\nfour\nfive\n');
    expect(lab.text).toBe('ONE\ntwo\nthree\nfour\n');
    // Nothing is saved until it is settled, whatever is typed.
    writing.typed('ONE\ntwo\nthree\nfour\nFIVE\n');
    await vi.advanceTimersByTimeAsync(9_000);
    expect([lab.writes, writing.state]).toEqual([[], 'conflict']);
    await writing.settle('merged');
    expect([lab.text, writing.state, writing.conflict]).toEqual(['ONE\ntwo\nthree\nfour\nFIVE\n', 'saved', undefined]);
  });

  test('may take the other’s, or their own', async () => {
    for (const [how, wanted] of [
      ['theirs', 'theirs\n'],
      ['mine', 'mine\n'],
    ] as const) {
      const { lab, writing } = await opened('before\n');
      lab.other('theirs\n');
      writing.typed('mine\n');
      await writing.save();
      expect(writing.conflict?.overlaps).toBe(1);
      expect(writing.text).toBe('theirs\nmine\n');
      await writing.settle(how);
      expect([lab.text, writing.text, writing.state]).toEqual([wanted, wanted, 'saved']);
    }
  });

  test('meet once more if the other wrote again while it was settled', async () => {
    const { lab, writing } = await opened('a\nb\nc\n');
    lab.other('A\nb\nc\n');
    writing.typed('a\nb\nC\n');
    await writing.save();
    lab.other('A\nb\nc\nd\n');
    await writing.settle('merged');
    expect(writing.state).toBe('conflict');
    expect(writing.text.split('\n')).toEqual(expect.arrayContaining(['A', 'b', 'C', 'd']));
    await writing.settle('merged');
    expect(lab.text.split('\n')).toEqual(expect.arrayContaining(['A', 'b', 'C', 'd']));
  });

  test('have no conflict if they wrote the same', async () => {
    const { lab, writing } = await opened('a');
    lab.other('ab');
    writing.typed('ab');
    await writing.save();
    expect([writing.state, writing.conflict]).toEqual(['saved', undefined]);
    expect(writing.etag).toBe(lab.etag);
  });

  test('are told if it was removed, and may bring it back', async () => {
    const { lab, writing } = await opened('a');
    lab.isThere = false;
    await writing.follow(undefined);
    expect(writing.state).toBe('gone');
    await writing.bringBack();
    expect([lab.isThere, lab.text, writing.state]).toEqual([true, 'a', 'saved']);
    // What was typed is not lost by it either.
    writing.typed('ab');
    lab.isThere = false;
    await writing.save();
    expect([writing.state, writing.text]).toEqual(['gone', 'ab']);
  });
});

test('what is no text can’t be written', async () => {
  const lab = new Lab('');
  vi.spyOn(lab, 'open').mockResolvedValue({ etag: '"x"', content: undefined } as never);
  const writing = new Writing(lab);
  await writing.load();
  expect(writing.state).toBe('binary');
});
