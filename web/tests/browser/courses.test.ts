/** Courses in the browser: what workspaces used for one, and for all. */

import { serious } from './axe';
import { admin, enter, expect, test, visit } from './console';
import { ann } from './people';

test('what was used for a course is told by student, and to a student of themselves', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool));
  await visit(page, '/courses/web-101?tab=usage');
  const table = page.getByRole('table', { name: 'What was used for the course' });
  for (const name of ['admin', 'ann']) {
    await expect(table.getByRole('row').filter({ hasText: name })).toContainText('0 B');
  }
  await expect(page.getByRole('link', { name: 'Export (CSV)' })).toHaveAttribute(
    'href',
    /courses\/web-101\/usage\/csv$/,
  );
  expect(await serious(page)).toEqual([]);
  await enter(page, home, ann);
  await visit(page, '/courses/web-101?tab=usage');
  await expect(table.getByRole('row').filter({ hasText: 'ann' })).toBeVisible();
  await expect(table.getByRole('row').filter({ hasText: 'admin' })).toHaveCount(0);
});

test('whoever manages accounts sees what all used, summed and sorted as they like', async ({ page, home, pool }) => {
  const row = (username: string, name: string, course: string | null, cpu_hours: number) => ({
    username,
    name,
    course,
    cpu_hours,
    memory_gb_hours: cpu_hours * 4,
    save_bytes: 2_000_000,
  });
  const rows = [
    row('li', 'Li Lei', 'web-101', 2),
    row('han', '', 'web-101', 9.25),
    row('li', 'Li Lei', null, 10),
    row('han', '', 'db-1', 1),
  ];
  await page.route('**/api/usage', (route) => route.fulfill({ json: rows }));
  await enter(page, home, admin(pool), '/usage');
  await expect(page.getByText('In all 22.25 CPU hours, 89 GB hours of memory, and 8 MB of saves.')).toBeVisible();
  const body = page.getByRole('table', { name: 'Usage' }).locator('tbody');
  await expect(body.locator('tr')).toHaveText([/Li Lei\s*li\s*12\s*48\s*4\sMB/, /han\s*10.25\s*41\s*4\sMB/]);
  await page.getByRole('button', { name: 'CPU hours' }).click();
  await expect(body.locator('tr').first()).toContainText('han');
  await page.getByRole('combobox', { name: 'Sums' }).selectOption('By course');
  await expect(body.locator('tr')).toHaveText([/db-1\s*1\s*4/, /no course\s*10\s*40/, /web-101\s*11.25\s*45/]);
  expect(await serious(page)).toEqual([]);
  await page.getByRole('combobox', { name: 'Sums' }).selectOption('By account and course');
  await page.getByRole('searchbox').fill('web-101 han');
  await expect(body.locator('tr')).toHaveText([/han\s*web-101\s*9.25/]);
  await body.getByRole('link', { name: 'web-101' }).click();
  await expect(page.getByRole('heading', { name: 'Pages of your own', level: 1 })).toBeVisible();
  await enter(page, home, ann, '/usage');
  await expect(page.getByRole('heading', { name: /Your role does not show this page/ })).toBeVisible();
});
