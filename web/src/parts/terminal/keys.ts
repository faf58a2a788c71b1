/** Which keys of a terminal are the browser's and ours, and not the shell's. */

export type KeyAction = 'copy' | 'paste' | 'search' | 'leave' | 'bigger' | 'smaller' | 'usual' | 'type';

export interface Key {
  key: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/**
 * What a key does. Ctrl-C copies if something is selected and interrupts if nothing is; Ctrl-V pastes; with Shift both
 * never reach the shell, as in other terminals. On a Mac it is ⌘, and Ctrl always reaches the shell.
 */
export function actionOf(key: Key, hasSelection: boolean, isMac: boolean): KeyAction {
  const letter = key.key.toLowerCase();
  if (key.ctrlKey && letter === 'f6') return 'leave';
  const isPlainCtrl = key.ctrlKey && !key.altKey && !key.metaKey;
  if (isMac && key.metaKey && !key.ctrlKey && !key.altKey) {
    if (letter === 'c') return hasSelection ? 'copy' : 'type';
    if (letter === 'v') return 'paste';
    if (letter === 'f') return 'search';
    return zoomOf(letter);
  }
  if (!isPlainCtrl) return 'type';
  if (key.shiftKey) {
    if (letter === 'c') return 'copy';
    if (letter === 'v') return 'paste';
    if (letter === 'f') return 'search';
    return zoomOf(letter);
  }
  if (isMac) return 'type';
  if (letter === 'c') return hasSelection ? 'copy' : 'type';
  if (letter === 'v') return 'paste';
  return zoomOf(letter);
}

function zoomOf(letter: string): KeyAction {
  if (letter === '+' || letter === '=') return 'bigger';
  if (letter === '-') return 'smaller';
  return letter === '0' ? 'usual' : 'type';
}

/** Whether this is a Mac, by what the browser says of it. */
export function isMac(platform: string): boolean {
  return /mac|iphone|ipad/i.test(platform);
}
