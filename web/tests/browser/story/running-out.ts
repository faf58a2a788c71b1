/** How a student has as many saves as may be, is told so, and goes on. */

import { serious } from '../axe';
import { expect, settled } from '../console';
import { comes, goesOn, listed, MOST_SAVES, saves, test } from './cast';

export function runningOut(): void {
  test('a student who has as many saves as may be is told what to do, and does it', async ({ page: li, stage }) => {
    test.setTimeout(300_000);
    await comes(li, stage, { user: 'li', course: 'db-1' });
    await goesOn(li);
    await test.step('one more than may be is refused in words, where they work', async () => {
      await saves(li, 'the last that fits');
      // The one in the middle was made when they left.
      await listed(li, ['the last that fits', 'SQL on MariaDB', 'two more in Ghent']);
      await li.goBack();
      await saves(li, 'one too many');
      const said = `at most ${MOST_SAVES} saves may be kept, and there would be ${MOST_SAVES + 1}; delete saves that are not needed any more`;
      await expect(li.getByRole('status').filter({ hasText: `The saves of li: ${said}` })).toBeVisible({
        timeout: 60_000,
      });
      expect(await serious(li)).toEqual([]);
    });

    await test.step('they delete one that they don’t need, and the next one fits', async () => {
      await li.getByRole('status').getByRole('link', { name: 'Saves' }).click();
      await settled(li);
      await li.getByRole('button', { name: 'Actions of two more in Ghent' }).click();
      await li.getByRole('menuitem', { name: 'Delete' }).click();
      const dialog = li.getByRole('dialog');
      await dialog.getByRole('textbox').fill('two more in Ghent');
      expect(await serious(li)).toEqual([]);
      await dialog.getByRole('button', { name: 'Delete' }).click();
      await listed(li, ['the last that fits', 'SQL on MariaDB']);
      expect(await serious(li)).toEqual([]);
      await li.goBack();
      await saves(li, 'in its place');
      await listed(li, ['in its place', 'the last that fits', 'SQL on MariaDB']);
    });
  });
}
