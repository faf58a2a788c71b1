/** Keys that work everywhere, and where they must not. */

import { settings } from './settings.svelte';

/** Whether a key goes into a field, a terminal or an open dialog, and is therefore nobody else's. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return false;
  return target.closest('input, textarea, select, [contenteditable], .xterm, dialog, [role="menu"]') !== null;
}

/** Whether a key is a single letter that the console may take: nobody types, and it is not switched off. */
export function isLetterKey(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  return settings.letters && !isTyping(event);
}
