import { describe, expect, test } from 'vitest';
import { Figures, together, type Point } from './figures';

const T0 = Date.parse('2026-01-01T00:00:00Z') / 1000;
const point = (second: number, cpu: number): Point => ({
  at: new Date((T0 + second) * 1000).toISOString(),
  cpu_cores: cpu,
  memory_bytes: cpu * 1000,
  rx_bytes_s: 0,
  tx_bytes_s: 0,
  read_bytes_s: 0,
  write_bytes_s: 0,
});
const seconds = (times: number[]) => times.map((time) => Math.round((time - T0) * 10) / 10);

describe('figures', () => {
  test('go on from their history', () => {
    const figures = new Figures();
    figures.restore([{ interval_s: 1, points: [point(2, 0.2), point(1, 0.1)] }]);
    figures.add(point(3, 0.3));
    const { times, values } = figures.drawn(300, T0 + 3);
    expect(seconds(times)).toEqual([1, 2, 3]);
    expect(values.cpu_cores).toEqual([0.1, 0.2, 0.3]);
    expect(values.memory_bytes).toEqual([100, 200, 300]);
    expect(figures.last?.cpu_cores).toBe(0.3);
  });

  test('that came before their history are kept if they are newer', () => {
    const figures = new Figures();
    figures.add(point(2, 2));
    figures.add(point(5, 5));
    figures.restore([{ interval_s: 1, points: [point(1, 1), point(2, 7), point(3, 3)] }]);
    expect(figures.drawn(300, T0 + 5).values.cpu_cores).toEqual([1, 7, 3, 5]);
  });

  test('of the past or of no moment are passed over', () => {
    const figures = new Figures();
    figures.add(point(2, 2));
    figures.add(point(2, 9));
    figures.add(point(1, 9));
    figures.add({ ...point(3, 9), at: 'soon' });
    expect(figures.drawn(300, T0 + 5).values.cpu_cores).toEqual([2]);
    expect(new Figures().last).toBeNull();
  });

  test('are broken where nothing came', () => {
    const figures = new Figures();
    for (const second of [1, 2, 3, 5, 20, 21]) figures.add(point(second, second));
    const { times, values } = figures.drawn(300, T0 + 21);
    expect(seconds(times)).toEqual([1, 2, 3, 5, 12.5, 20, 21]);
    expect(values.cpu_cores).toEqual([1, 2, 3, 5, null, 20, 21]);
  });

  test('are drawn for as long as is asked, and kept no longer than that', () => {
    const figures = new Figures();
    for (let second = 1; second <= 1000; second += 1) figures.add(point(second, 1));
    const { times } = figures.drawn(60, T0 + 1000);
    expect(seconds(times)[0]).toBe(940);
    expect(figures.drawn(300, T0 + 1000).times.length).toBe(301);
  });

  test('of long are coarse, each the mean of what it stands for', () => {
    const figures = new Figures();
    figures.restore([
      { interval_s: 1, points: [] },
      { interval_s: 15, points: [point(-30, 8), point(-15, 9)] },
    ]);
    for (let second = 1; second <= 40; second += 1) figures.add(point(second, second <= 15 ? 1 : 3));
    const { times, values } = figures.drawn(3600, T0 + 40);
    expect(seconds(times).slice(0, 4)).toEqual([-30, -15, 15, 30]);
    expect(values.cpu_cores.slice(0, 4)).toEqual([8, 9, 1, 3]);
    expect(seconds(times).at(-1)).toBe(40);
    expect(values.cpu_cores).not.toContain(null);
  });
});

describe('curves of one plot', () => {
  test('share their moments', () => {
    expect(together([])).toEqual([[]]);
    expect(
      together([
        { times: [1, 2], values: [5, 6] },
        { times: [1, 2], values: [7, null] },
      ]),
    ).toEqual([
      [1, 2],
      [5, 6],
      [7, null],
    ]);
  });

  test('that have others are joined, and only real gaps are gaps', () => {
    const [times, one, other] = together([
      { times: [1, 3, 5], values: [10, null, 30] },
      { times: [2, 3], values: [20, 25] },
    ]);
    expect(times).toEqual([1, 2, 3, 5]);
    expect(one).toEqual([10, undefined, null, 30]);
    expect(other).toEqual([undefined, 20, 25, undefined]);
  });
});
