/** Two of a group at one attempt: each is told who has the keyboard, and so is whoever looks at the wall. */

import { api, tokenOf } from './api';
import { admin, enter, expect, test } from './console';
import { writeLab } from './labs';
import { ann, tom } from './people';

const LAB = {
  'lab.yaml': 'title: In pairs\ncontainers:\n  - {name: main, image: "pierhead/sample:1", memory: 32}\nminutes: 20\n',
  'steps/01-look.md': '# Look around\n\nTake turns.\n',
};

test('a group is told who has the keyboard, and so is whoever gives the course', async ({
  page,
  another,
  home,
  pool,
}) => {
  test.setTimeout(300_000);
  const [hers, his] = [await tokenOf(ann.username, ann.password), await tokenOf(tom.username, tom.password)];
  await writeLab('pairs', LAB);
  await api('POST', '/api/courses', { id: 'pairs-1', title: 'In pairs', labs: [{ lab: 'pairs' }] });
  let workspace: string | null | undefined;
  try {
    const students = [ann, tom].map(({ username }) => ({ username, group: 'A' }));
    await api('POST', '/api/courses/pairs-1/students', { students });
    const attempt = await api<{ id: string; workspace?: string | null }>(
      'POST',
      '/api/labs/pairs/attempts',
      { course: 'pairs-1' },
      hers,
    );
    workspace = attempt.workspace;
    await enter(page, home, ann, `/attempts/${attempt.id}`);
    await expect(page.locator('.xterm-helper-textarea')).toBeAttached({ timeout: 120_000 });
    const head = page.locator('main header');
    await expect(head).toContainText('worked at by ann, tom');
    await expect(head).toContainText('You have the keyboard', { timeout: 60_000 });

    const other = await another();
    await enter(other, home, tom, `/attempts/${attempt.id}`);
    await expect(other.locator('main header')).toContainText('ann has the keyboard', { timeout: 60_000 });
    // What the document says is on a phone, while the terminal is not in sight.
    await other.setViewportSize({ width: 360, height: 780 });
    await expect(other.locator('main header').getByText('ann has the keyboard')).toBeVisible();
    await other.setViewportSize({ width: 1280, height: 800 });

    const teacher = await another();
    await enter(teacher, home, admin(pool), '/wall?course=pairs-1');
    const tile = teacher.getByRole('article', { name: 'ann' });
    await expect(tile.getByText('Watched by tom')).toBeVisible();
    await expect(tile.getByText(/has the keyboard/)).toHaveCount(0);
    await other.getByRole('button', { name: 'Ask for the keyboard' }).click();
    await page.getByRole('alert').getByRole('button', { name: 'Give the keyboard' }).click();
    await expect(head).toContainText('tom has the keyboard');
    await expect(other.locator('main header')).toContainText('You have the keyboard');
    await expect(tile.getByText('tom has the keyboard')).toBeVisible();

    // The tile leads to the workspace for whoever has a page of it, a guest as well.
    await expect(tile.getByRole('heading').getByRole('link', { name: 'ann' })).toHaveAttribute(
      'href',
      `#/workspaces/${workspace}`,
    );
    await enter(other, home, tom, '/wall');
    await other.getByRole('article', { name: 'ann' }).getByRole('link', { name: 'ann', exact: true }).click();
    await expect(other.getByRole('heading', { name: 'In pairs', level: 1 })).toBeVisible();
  } finally {
    await api('DELETE', '/api/courses/pairs-1').catch(() => {});
    for (const token of [hers, his]) {
      const all = await api<{ id: string }[]>('GET', '/api/attempts?lab=pairs', undefined, token).catch(() => []);
      for (const { id } of all) await api('DELETE', `/api/attempts/${id}`, undefined, token).catch(() => {});
    }
    if (workspace) await api('DELETE', `/api/workspaces/${workspace}?discard=true`).catch(() => {});
    await api('DELETE', '/api/labs/pairs').catch(() => {});
  }
});
