/** How a teacher looks over the shoulders of a class, and helps. */

import { serious } from '../axe';
import { expect } from '../console';
import { shows } from '../screen';
import { comes, goesOn, sql, test } from './cast';

export function watching(): void {
  test('the teacher sees who works, looks closer, and types for a student who asks', async ({
    page: wang,
    another,
    stage,
  }) => {
    test.setTimeout(300_000);
    const [li, han] = [await another(), await another()];
    for (const [student, user] of [
      [li, 'li'],
      [han, 'han'],
    ] as const) {
      await comes(student, stage, { user, course: 'db-1' });
      await goesOn(student);
    }
    await comes(wang, stage, { user: 'wang', course: 'db-1' });
    await wang.getByRole('link', { name: 'Wall', exact: true }).last().click();
    const tile = (user: string) => wang.getByRole('article', { name: user });
    await test.step('both are on the wall, with what they do', async () => {
      await sql(li, "SELECT 'li works' AS doing;");
      await sql(han, "SELECT 'han works' AS doing;");
      await expect(tile('li').locator('pre')).toContainText('li works');
      await expect(tile('han').locator('pre')).toContainText('han works');
      expect(await serious(wang)).toEqual([]);
    });

    await test.step('a student raises a hand, and sees who comes to look', async () => {
      await han.getByRole('button', { name: 'Raise hand' }).click();
      await han.getByLabel(/What do you need help with/).fill('How do I change an answer?');
      expect(await serious(han)).toEqual([]);
      await han.getByRole('dialog').getByRole('button', { name: 'Raise hand' }).click();
      await expect(tile('han').getByText('Asks: How do I change an answer?')).toBeVisible();
      await tile('han')
        .getByRole('link', { name: /^Watch han's terminal/ })
        .click();
      await shows(wang, /han works/);
      await expect(han.getByRole('list', { name: 'Who is here' }).getByText('wang')).toBeVisible();
      await expect(li.getByRole('list', { name: 'Who is here' }).getByText('wang')).toHaveCount(0);
    });

    await test.step('the teacher types with the student’s leave, and gives the keyboard back', async () => {
      await wang.getByRole('button', { name: 'Ask for the keyboard' }).click();
      const asked = han.getByRole('alert').filter({ hasText: 'wang asks for the keyboard.' });
      expect(await serious(han)).toEqual([]);
      await asked.getByRole('button', { name: 'Give the keyboard' }).click();
      await expect(wang.getByText('You have the keyboard')).toBeVisible();
      await sql(wang, 'UPDATE answers SET answer = 3 WHERE question = 1;');
      await shows(han, /Rows matched: 1/);
      await wang.getByRole('button', { name: 'Give the keyboard' }).click();
      await wang.getByRole('menuitem', { name: 'Give the keyboard to han' }).click();
      await expect(han.getByText('You have the keyboard')).toBeVisible();
      expect(await serious(wang)).toEqual([]);
      await sql(han, 'SELECT answer AS answered FROM answers;');
      await shows(han, /answered[^]*\b3\b/);
      await han.getByRole('button', { name: 'Check this step' }).click();
      await expect(han.getByText('1 of 1 passed')).toBeVisible({ timeout: 60_000 });
    });
  });
}
