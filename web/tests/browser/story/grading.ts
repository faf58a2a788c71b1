/** How work is handed in, graded and told. */

import { serious } from '../axe';
import { expect, settled, visit } from '../console';
import { comes, test } from './cast';

export function grading(): void {
  test('both hand in, and see what it was worth when the teacher says so', async ({ page: wang, another, stage }) => {
    test.setTimeout(300_000);
    const [li, han] = [await another(), await another()];
    await test.step('both hand in, also who has as many saves as may be', async () => {
      for (const [student, user] of [
        [li, 'li'],
        [han, 'han'],
      ] as const) {
        await comes(student, stage, { user, course: 'db-1' });
        await student.getByRole('button', { name: 'Hand in SQL on MariaDB' }).click();
        expect(await serious(student)).toEqual([]);
        await student.getByRole('dialog').getByRole('button', { name: 'Hand in', exact: true }).click();
      }
      for (const student of [li, han]) {
        await expect(student.getByText('Complete')).toBeVisible({ timeout: 120_000 });
        expect(await serious(student)).toEqual([]);
      }
    });
    await test.step('the teacher grades what no check can', async () => {
      await comes(wang, stage, { user: 'wang', course: 'db-1' });
      await wang.getByRole('tab', { name: 'Handed in' }).click();
      await settled(wang);
      expect(await serious(wang)).toEqual([]);
      await wang.getByRole('tab', { name: 'Gradebook' }).click();
      await settled(wang);
      for (const [user, style, comment] of [
        ['li', '1.5', 'Indent, please.'],
        ['han', '2', ''],
      ] as const) {
        await wang.getByRole('button', { name: `Grade SQL on MariaDB of ${user}` }).click();
        const dialog = wang.getByRole('dialog');
        await dialog.getByLabel('Style (at most 2)').fill(style);
        await dialog.getByLabel('Comment: Style').fill(comment);
        if (user === 'li') await dialog.getByLabel('Comment on the whole').fill('=1+1, well done, "Li"');
        expect(await serious(wang)).toEqual([]);
        await dialog.getByRole('button', { name: 'Save', exact: true }).click();
        await expect(wang.getByText(`${user} was graded`)).toBeVisible();
      }
    });
    await test.step('students see nothing of it before it is published, and their own then', async () => {
      await li.getByRole('tab', { name: 'Results' }).click();
      await expect(li.getByText('Not published yet')).toBeVisible();
      await wang.getByRole('tab', { name: 'Labs' }).click();
      await wang.getByRole('button', { name: 'Publish results: SQL on MariaDB' }).click();
      await expect(wang.getByText('Published')).toBeVisible();
      await expect(li.getByText('9.5 of 10')).toBeVisible();
      expect(await serious(li)).toEqual([]);
    });
    await test.step('the table for the school is exactly what was given', async () => {
      await visit(wang, '/courses/db-1?tab=gradebook');
      const [download] = await Promise.all([
        wang.waitForEvent('download'),
        wang.getByRole('link', { name: 'Export (CSV)' }).click(),
      ]);
      const chunks: Buffer[] = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks)
        .toString('utf8')
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+\+08:00/g, 'MOMENT');
      const head = 'username,name,group,sql state,sql submitted,sql late,sql points,sql most,points,most';
      const rows = ['han,Han Mei,B,complete,MOMENT,,10,10,10,10', 'li,Li Lei,A,complete,MOMENT,,9.5,10,9.5,10'];
      expect(text).toBe(`\ufeff${[head, ...rows, ''].join('\r\n')}`);
      expect(download.suggestedFilename()).toBe('db-1-grades.csv');
    });
    await test.step('the work of who said yes is played by step and by line, until they take it back', async () => {
      await visit(wang, '/courses/db-1?tab=recordings');
      const kept = wang.getByRole('table', { name: 'Recordings' });
      await expect(kept.getByRole('row').filter({ hasText: 'sql' }).first()).toContainText('li');
      await expect(kept.getByRole('row').filter({ hasText: 'han' })).toHaveCount(0);
      expect(await serious(wang)).toEqual([]);
      await kept
        .getByRole('button', { name: /^Play the recording/ })
        .first()
        .click();
      await wang.getByRole('button', { name: 'Next command' }).click();
      expect(await serious(wang)).toEqual([]);
      await wang.getByRole('button', { name: 'All recordings' }).click();
      await visit(li, '/courses/db-1?tab=recordings');
      await li.getByRole('button', { name: 'No, keep none' }).click();
      await expect(li.getByText('No recordings are kept', { exact: true })).toBeVisible();
      await expect(wang.getByText('consent was withdrawn').first()).toBeVisible();
      expect(await serious(li)).toEqual([]);
    });
  });
}
