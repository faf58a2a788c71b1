/** Keys that work everywhere, and where they must not. */

/** Whether a key goes into a field, a terminal or an open dialog, and is therefore nobody else's. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return false;
  return target.closest('input, textarea, select, [contenteditable], .xterm, dialog, [role="menu"]') !== null;
}
