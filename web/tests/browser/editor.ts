/** The editor of labs, as somebody uses it who writes there. */

import type { Page } from '@playwright/test';
import { expect } from './console';

export const isSaved = (page: Page) => expect(page.getByText('✓ saved')).toBeVisible();

/** Opens a file of the lab and writes all of it anew, as somebody would who pastes it. */
export async function write(page: Page, path: string, text: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Files of the lab' }).getByTitle(path, { exact: true }).click();
  const editor = page.getByRole('textbox', { name: `Text of ${path}` });
  await expect(editor).toBeVisible();
  await editor.click();
  await page.keyboard.press('Control+a');
  await editor.evaluate((field, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', text);
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
  await isSaved(page);
}
