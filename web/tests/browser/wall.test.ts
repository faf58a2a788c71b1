/** The wall in the browser: a terminal seen small, a hand, somebody who comes to look, and a message. */

import { api, tokenOf } from './api';
import { serious } from './axe';
import { admin, enter, expect, test } from './console';
import { tom } from './people';
import { connected, screen, shows, type } from './screen';

interface Workspace {
  id: string;
  phase: string;
}

test('a terminal is seen small, its hand is answered, and a message is read', async ({ page, another, home, pool }) => {
  test.setTimeout(300_000);
  const token = await tokenOf(tom.username, tom.password);
  const containers = [{ image: 'pierhead/sample:1', cpus: 0.1, memory: 32 }];
  await api('POST', '/api/environments', { name: 'walled', description: { containers } }, token);
  const { id } = await api<Workspace>('POST', '/api/workspaces', { environment: 'walled' }, token);
  try {
    await enter(page, home, tom, `/workspaces/${id}`);
    await shows(page, /[#$] ?$/, 120);
    await connected(page);

    const teacher = await another();
    await enter(teacher, home, admin(pool), '/wall?environment=walled');
    const tile = teacher.getByRole('article', { name: tom.username });
    await expect(tile).toBeVisible();
    await type(page, 'echo small-$((1+1))');
    await expect(tile.locator('pre')).toContainText(/^small-2$/m);
    await expect(tile.getByText(/Watched by/)).toHaveCount(0);
    expect(await serious(teacher)).toEqual([]);

    await page.getByRole('button', { name: 'Raise hand' }).click();
    await page.getByLabel(/What do you need help with/).fill('What is this?');
    await page.getByRole('dialog').getByRole('button', { name: 'Raise hand' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(tile.getByText('Asks: What is this?')).toBeVisible();
    await expect(teacher.getByText('1 hand up')).toBeVisible();
    await tile.getByRole('button', { name: `Lower ${tom.username}'s hand` }).click();
    await expect(page.getByRole('button', { name: 'Raise hand' })).toBeVisible();
    await expect(tile.getByText('Asks: What is this?')).toHaveCount(0);

    // Whoever looks is seen, and takes nothing from anybody.
    await tile.getByRole('link', { name: `Watch ${tom.username}'s terminal` }).click();
    await shows(teacher, /^small-2$/m);
    await expect(page.getByRole('list', { name: 'Who is here' }).getByText('admin')).toBeVisible();
    await expect(page.getByText('You have the keyboard')).toBeVisible();
    await expect(teacher.getByRole('button', { name: 'Ask for the keyboard' })).toBeVisible();

    await enter(teacher, home, admin(pool), '/wall?environment=walled');
    await teacher.getByRole('button', { name: 'Message to all' }).click();
    await teacher.getByLabel('What everybody shall read').fill('A break until ten');
    await teacher.getByRole('button', { name: 'Send', exact: true }).click();
    await expect(page.getByText('A break until ten')).toBeVisible();
    await page.getByRole('button', { name: 'I have read it' }).click();
    await expect(page.getByText('A break until ten')).toHaveCount(0);

    // Everything stands still, and what was begun goes on behind it.
    await type(page, 'i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo tick-$i; sleep 1; done');
    await shows(page, /^tick-2$/m);
    await teacher.getByRole('button', { name: 'Pause' }).click();
    await expect(page.getByText('It stands still', { exact: true })).toBeVisible();
    await expect(tile.getByText('stands still')).toBeVisible();
    expect(await serious(page)).toEqual([]);
    expect((await api<Workspace>('GET', `/api/workspaces/${id}`, undefined, token)).phase).toBe('paused');
    const ticks = [...(await screen(page)).matchAll(/^tick-(\d+)$/gm)].map(([, n]) => Number(n));
    await teacher.getByRole('button', { name: 'Go on' }).click();
    await expect(page.getByText('It stands still', { exact: true })).toHaveCount(0);
    await shows(page, new RegExp(`^tick-${Math.max(...ticks) + 2}$`, 'm'));
  } finally {
    await api('DELETE', `/api/workspaces/${id}?discard=true`, undefined, token);
    await api('DELETE', '/api/environments/walled', undefined, token);
  }
});
