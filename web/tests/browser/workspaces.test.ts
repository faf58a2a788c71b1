/** Workspaces in the browser: described, opened, worked in, found again, and shared. */

import { api, tokenOf } from './api';
import { enter, expect, test } from './console';
import { ann, vic } from './people';
import { connected, shows, type } from './screen';

interface Workspace {
  id: string;
  phase: string;
}

/** Deletes what the test made, also when it went wrong: a workspace holds room on a host. */
async function cleared(environment: string, token: string): Promise<void> {
  const left = await api<(Workspace & { environment: string })[]>('GET', '/api/workspaces', undefined, token);
  for (const { id } of left.filter((one) => one.environment === environment)) {
    await api('DELETE', `/api/workspaces/${id}?discard=true`, undefined, token);
  }
  await api('DELETE', `/api/environments/${environment}`, undefined, token);
}

test('an environment is described, opened, worked in, and found again as it was', async ({ page, another, home }) => {
  test.setTimeout(120_000);
  const token = await tokenOf(ann.username, ann.password);
  try {
    await enter(page, home, ann, '/new-environment');
    await page.getByLabel('Name').fill('Bench');
    await page.getByLabel('Image').fill('pierhead/sample:1');
    await page.getByLabel('CPU cores').fill('0.1');
    await page.getByLabel('Memory (MB)').fill('32');
    await page.getByRole('button', { name: 'Create the environment' }).click();
    // What is refused is told at its field, and nothing that was typed is gone.
    await expect(page.getByText(/^name must be/)).toBeVisible();
    await page.getByLabel('Name').fill('bench');
    await page.getByRole('button', { name: 'Create the environment' }).click();
    await expect(page.getByRole('heading', { name: 'bench', level: 1 })).toBeVisible();

    await page.getByRole('button', { name: 'Open a workspace of bench' }).click();
    await expect(page).toHaveURL(/#\/workspaces\/[a-z0-9]+/);
    // A prompt comes by itself.
    await shows(page, /[#$] ?$/, 60);
    await connected(page);
    await type(page, 'KEPT=still; echo set-$((1+1)) | tee /made');
    await shows(page, /^set-2$/m);
    const tabs = page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab');
    await expect(tabs).toHaveCount(1);

    await page.reload();
    await shows(page, /^set-2$/m);
    await connected(page);
    await type(page, 'echo it-is-$KEPT-there');
    await shows(page, /^it-is-still-there$/m);
    await expect(tabs, 'no other terminal was opened').toHaveCount(1);

    // Somebody else comes when they are let, and only then.
    const guest = await another();
    const address = new URL(page.url()).hash.replace(/^#/, '').replace(/\?.*/, '');
    await enter(guest, home, vic, address);
    await expect(guest.getByText(/no workspace|no such workspace|not found/i).first()).toBeVisible();
    await page.getByRole('button', { name: 'Share…' }).click();
    await page.getByLabel('Account', { exact: true }).fill(vic.username);
    await page.getByRole('button', { name: 'Share with this account' }).click();
    await expect(page.getByRole('dialog').getByText('May look').last()).toBeVisible();
    await page.keyboard.press('Escape');
    await guest.reload();
    await expect(guest.getByRole('heading', { level: 1, name: 'bench' })).toBeVisible();
    await expect(guest.getByRole('button', { name: 'Save…' })).toHaveCount(0);
  } finally {
    await cleared('bench', token);
  }
});
