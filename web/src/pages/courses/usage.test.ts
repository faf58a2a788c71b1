import { expect, test } from 'vitest';
import type { Usage } from './api';
import { amounts, summed, total } from './usage';

const row = (username: string, course: string | null, cpu_hours: number, name = ''): Usage => ({
  username,
  name,
  course,
  cpu_hours,
  memory_gb_hours: cpu_hours * 2,
  save_bytes: cpu_hours * 1024,
});
const ROWS = [row('li', 'web', 1, 'Li Lei'), row('han', 'web', 2), row('li', null, 4, 'Li Lei'), row('han', 'db', 8)];

test('what was used is listed as it is, or summed by account or by course', () => {
  expect(summed(ROWS, 'each').map(({ key, cpu_hours }) => `${key} ${cpu_hours}`)).toEqual([
    'web/li 1',
    'web/han 2',
    '/li 4',
    'db/han 8',
  ]);
  expect(summed(ROWS, 'account')).toEqual([
    { key: 'li', username: 'li', name: 'Li Lei', cpu_hours: 5, memory_gb_hours: 10, save_bytes: 5120 },
    { key: 'han', username: 'han', name: '', cpu_hours: 10, memory_gb_hours: 20, save_bytes: 10_240 },
  ]);
  expect(summed(ROWS, 'course').map(({ course, cpu_hours, username }) => [course, cpu_hours, username])).toEqual([
    ['web', 3, undefined],
    [undefined, 4, undefined],
    ['db', 8, undefined],
  ]);
});

test('however it is grouped the whole is the same, and nothing of nothing', () => {
  const whole = { cpu_hours: 15, memory_gb_hours: 30, save_bytes: 15_360 };
  expect(total(ROWS)).toEqual(whole);
  for (const by of ['each', 'account', 'course'] as const) expect(total(summed(ROWS, by))).toEqual(whole);
  expect(total([])).toEqual({ cpu_hours: 0, memory_gb_hours: 0, save_bytes: 0 });
});

test('columns are sorted by numbers, and not by how these are written', () => {
  const columns = amounts({ cpu: 'CPU', memory: 'Memory', saves: 'Saves' });
  const [of] = summed([row('li', 'web', 1234.5)], 'each');
  expect(of && columns.map(({ sort }) => sort?.(of))).toEqual([1234.5, 2469, 1_264_128]);
  const written = of && columns.map(({ text }) => text(of).replace(/\s/g, ' '));
  expect(written).toEqual(['1,234.5', '2,469', '1.3 MB']);
});
