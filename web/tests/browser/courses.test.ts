/** Courses in the browser: what workspaces used for one. */

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
