/** How a student leaves, and comes again to what they did. */

import { serious } from '../axe';
import { expect } from '../console';
import { shows } from '../screen';
import { comes, goesOn, listed, opensShop, saves, sql, test } from './cast';

export function returning(): void {
  // The clock of a pool can't be set forward. What another day would change is what happens here: nothing of the workspace
  // runs any more, its containers are made anew, and somebody comes by a new link in a browser that knows nothing of them.
  test('a student leaves, and finds another time what they did', async ({ page: li, another, stage }) => {
    test.setTimeout(300_000);
    await test.step('they save, give the room back, and close the page', async () => {
      await comes(li, stage, { user: 'li', course: 'db-1' });
      await goesOn(li);
      await sql(li, "INSERT INTO customers VALUES ('Enrico','Ghent'),('Flora','Ghent');");
      await shows(li, /2 rows affected/);
      await saves(li, 'two more in Ghent');
      await listed(li, ['two more in Ghent']);
      await li.goBack();
      await li.getByRole('button', { name: 'Save and stop' }).click();
      await expect(li.getByText('It is saved; nothing of it runs')).toBeVisible({ timeout: 120_000 });
      expect(await serious(li)).toEqual([]);
      await li.close();
    });

    await test.step('they come by a new link, and all of it is there', async () => {
      const again = await another();
      await comes(again, stage, { user: 'li', course: 'db-1' });
      await goesOn(again);
      await opensShop(again);
      await sql(again, "SELECT COUNT(*) AS remembered FROM customers WHERE city = 'Ghent';");
      await shows(again, /remembered[^]*\b3\b/);
      // What they came to is there as well: nobody does again what was done.
      await expect(again.getByText('1 of 1 passed')).toBeVisible();
      expect(await serious(again)).toEqual([]);
    });
  });
}
