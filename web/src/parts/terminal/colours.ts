/** The colours of a terminal: the console's own ground and text, and sixteen that can be read on it. */

import type { ITheme } from '@xterm/xterm';

type Shades = Record<
  'black' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'white',
  readonly [plain: string, bright: string]
>;

const DARK: Shades = {
  black: ['#3b4252', '#7b8499'],
  red: ['#f27979', '#ff9d97'],
  green: ['#7fc97a', '#a4e29b'],
  yellow: ['#e0b95c', '#f5d68b'],
  blue: ['#7db0f5', '#a5caff'],
  magenta: ['#d69be6', '#ebbdf7'],
  cyan: ['#5fc9c9', '#90e3e0'],
  white: ['#d5d9e2', '#ffffff'],
};

const LIGHT: Shades = {
  black: ['#23272f', '#5b6270'],
  red: ['#b3261e', '#8f1d17'],
  green: ['#1e6e34', '#155427'],
  yellow: ['#7d5700', '#634500'],
  blue: ['#1f54b5', '#173f8a'],
  magenta: ['#8b2fa0', '#6c217e'],
  cyan: ['#0b6a72', '#065258'],
  white: ['#666d7a', '#41464f'],
};

function bright(name: string): string {
  return `bright${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;
}

/** A theme for xterm; `own` gives the console's colours by the name of their variable. */
export function themeOf(shown: 'light' | 'dark', own: (variable: string) => string): ITheme {
  const shades = Object.entries(shown === 'dark' ? DARK : LIGHT);
  return {
    background: own('--raised'),
    foreground: own('--text'),
    cursor: own('--accent'),
    cursorAccent: own('--raised'),
    selectionBackground: `${own('--accent')}55`,
    overviewRulerBorder: own('--raised'),
    scrollbarSliderBackground: `${own('--muted')}55`,
    scrollbarSliderHoverBackground: `${own('--muted')}88`,
    scrollbarSliderActiveBackground: `${own('--muted')}aa`,
    ...Object.fromEntries(shades.map(([name, [plain]]) => [name, plain])),
    ...Object.fromEntries(shades.map(([name, [, light]]) => [bright(name), light])),
  };
}
