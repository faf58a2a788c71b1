/** How a class begins: two sittings of its teacher, who comes by the school's password and link, and two students at work. */

import { serious } from '../axe';
import { expect, fillIn, settled, visit } from '../console';
import { write } from '../editor';
import { shows } from '../screen';
import { comes, LAB, opensShop, saves, sql, STEP, test, WANG } from './cast';

export function preparing(): void {
  test('a lab is prepared in two sittings, and students of the school work in what was prepared', async ({
    page,
    another,
    stage,
    home,
  }) => {
    test.setTimeout(600_000);
    const teacher = page;

    await test.step('the teacher logs in by the school’s password and begins a lab', async () => {
      await teacher.goto(`${home}#/labs`);
      await fillIn(teacher, WANG);
      await settled(teacher);
      await teacher.getByRole('button', { name: 'New lab' }).first().click();
      await teacher.getByLabel('Title').fill('SQL on MariaDB');
      await teacher.getByLabel('Name in addresses').fill('sql');
      await teacher.getByRole('button', { name: 'Create the lab' }).click();
      await write(teacher, 'lab.yaml', LAB);
      await write(teacher, 'steps/01-first.md', STEP);
      await teacher.getByRole('tab', { name: 'Environment' }).click();
      await teacher.getByRole('button', { name: 'Open the environment' }).click();
      await opensShop(teacher);
      await sql(teacher, 'CREATE TABLE customers (name VARCHAR(60), city VARCHAR(60));');
      await sql(teacher, "INSERT INTO customers VALUES ('Ada','Turin'),('Blaise','Ghent'),('Clara','Porto');");
      await shows(teacher, /3 rows affected/);
      expect(await serious(teacher)).toEqual([]);
    });

    await test.step('the environment is saved and stopped, and is as it was the next day', async () => {
      await visit(teacher, '/workspaces');
      await teacher.locator('main').getByRole('link', { name: /sql/i }).first().click();
      await settled(teacher);
      await saves(teacher, 'three customers');
      await expect(teacher.getByRole('tab', { name: /^Saves ?1/ })).toBeVisible({ timeout: 60_000 });
      await teacher.getByRole('button', { name: 'More', exact: true }).first().click();
      await teacher.getByRole('menuitem', { name: 'Save and stop' }).click();
      await expect(teacher.getByText('It is saved; nothing of it runs')).toBeVisible({
        timeout: 120_000,
      });
      expect(await serious(teacher)).toEqual([]);
      await comes(teacher, stage, { user: 'wang', course: 'db-1' });
      await visit(teacher, '/labs/sql');
      await teacher.getByRole('tab', { name: 'Environment' }).click();
      await teacher.getByRole('button', { name: 'Start', exact: true }).click();
      await opensShop(teacher);
      await sql(teacher, "INSERT INTO customers VALUES ('Dmitri','Turin'),('Grace','Turin');");
      await sql(teacher, 'CREATE TABLE answers (question INT PRIMARY KEY, answer VARCHAR(100));');
      await sql(teacher, 'SELECT COUNT(*) AS everybody FROM customers;');
      await shows(teacher, /everybody[^]*\b5\b/);
    });

    await test.step('students begin with what was prepared, and the lab is in the course', async () => {
      await teacher.getByRole('button', { name: 'Begin with a save…' }).click();
      const dialog = teacher.getByRole('dialog');
      await expect(dialog.getByRole('radio')).toHaveCount(2);
      await dialog.getByRole('button', { name: 'Save the environment now' }).click();
      // At once, as somebody does who knows what comes: what is meant is this save, and the students see whether it was.
      await dialog.getByRole('button', { name: 'Make it the lab’s environment' }).click({ timeout: 120_000 });
      await expect(teacher.getByText('Everybody who begins from now on begins as this save')).toBeVisible();
      await teacher.getByRole('button', { name: 'Publish', exact: true }).click();
      await dialog.getByRole('button', { name: 'Publish', exact: true }).click();
      await expect(teacher.getByText('version 1 · private')).toBeVisible();
      await visit(teacher, '/courses');
      await teacher.getByRole('link', { name: 'Databases' }).click();
      await teacher.getByRole('button', { name: 'Add a lab' }).click();
      await teacher.getByLabel('Lab', { exact: true }).fill('sql');
      await teacher.getByLabel('Due').fill('2050-12-01T18:00');
      await dialog.getByRole('button', { name: 'Add a lab' }).click();
      await teacher.getByRole('button', { name: 'SQL on MariaDB: deadline and grading' }).click();
      for (const [at, [title, from, most]] of [
        ['Queries', 'checks', '8'],
        ['Style', 'hand', '2'],
      ].entries()) {
        await dialog.getByRole('button', { name: 'Add a criterion' }).click();
        await dialog
          .getByLabel('What it is about')
          .nth(at)
          .fill(title ?? '');
        await dialog
          .getByLabel('From')
          .nth(at)
          .selectOption(from ?? '');
        await dialog
          .getByLabel('Most points')
          .nth(at)
          .fill(most ?? '');
      }
      expect(await serious(teacher)).toEqual([]);
      await dialog.getByRole('button', { name: 'Save', exact: true }).click();
      await expect(teacher.getByText('SQL on MariaDB was changed')).toBeVisible();
      expect(await serious(teacher)).toEqual([]);
    });

    const [li, han] = [await another(), await another()];
    await test.step('the course asks for recordings, and one of two says yes', async () => {
      await teacher.getByRole('tab', { name: 'Recordings' }).click();
      await teacher.getByLabel('Keep recordings of students who say yes for so many days').fill('30');
      await teacher.getByRole('button', { name: 'Save', exact: true }).click();
      await expect(teacher.getByText('Students are asked for recordings')).toBeVisible();
      expect(await serious(teacher)).toEqual([]);
      await comes(li, stage, { user: 'li', course: 'db-1' });
      await li.getByRole('button', { name: 'Yes, they may be kept' }).click();
      await expect(li.getByText('Recordings of terminals that you open from now on may be kept')).toBeVisible();
      expect(await serious(li)).toEqual([]);
    });
    await test.step('two students come from the school’s site and work', async () => {
      await comes(han, stage, { user: 'han', course: 'db-1' });
      await expect(han.getByRole('heading', { name: 'Databases', level: 1 })).toBeVisible();
      await han.getByRole('button', { name: 'Begin', exact: true }).click();
      await comes(li, stage, { user: 'li', course: 'db-1', lab: 'sql' });
      await li.getByRole('button', { name: 'Begin', exact: true }).click();
      for (const student of [li, han]) {
        await opensShop(student);
        await sql(student, "SELECT COUNT(*) AS there FROM customers WHERE city = 'Turin';");
        await shows(student, /there[^]*\b3\b/);
        expect(await serious(student)).toEqual([]);
      }
      await sql(han, 'INSERT INTO answers VALUES (1, 2);');
      await sql(li, 'INSERT INTO answers VALUES (1, 3);');
      await shows(li, /1 row affected/);
      await li.getByRole('button', { name: 'Check this step' }).click();
      await expect(li.getByText('1 of 1 passed')).toBeVisible({ timeout: 60_000 });
    });
  });
}
