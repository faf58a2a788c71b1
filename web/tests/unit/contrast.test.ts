import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const css = readFileSync(join(process.cwd(), 'src/theme.css'), 'utf8');

type Rgb = [number, number, number];

/** OKLCH to linear sRGB, cut to what a screen can show. */
function linear(l: number, c: number, h: number): Rgb {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const cut = (value: number) => Math.min(1, Math.max(0, value));
  return [
    cut(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
    cut(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
    cut(-0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short),
  ];
}

const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function contrast(one: Rgb, other: Rgb): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

const numbers = String.raw`oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)`;
const themes: Record<'light' | 'dark', Map<string, Rgb>> = { light: new Map(), dark: new Map() };
for (const found of css.matchAll(new RegExp(`--([\\w-]+): light-dark\\(${numbers}, ${numbers}\\);`, 'g'))) {
  const [, name = '', ...parts] = found;
  const [l1 = 0, c1 = 0, h1 = 0, l2 = 0, c2 = 0, h2 = 0] = parts.map(Number);
  themes.light.set(name, linear(l1, c1, h1));
  themes.dark.set(name, linear(l2, c2, h2));
}

const grounds = ['surface', 'raised', 'sunken'];
const soft = ['accent', 'good', 'warn', 'bad'];
const words = ['text', 'muted', 'accent', 'good', 'warn', 'bad'];
const shapes = ['edge', 'series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6'];

describe.each(['light', 'dark'] as const)('%s', (theme) => {
  const colour = (name: string): Rgb => {
    const found = themes[theme].get(name);
    if (!found) throw new Error(`theme.css has no --${name} in both themes`);
    return found;
  };
  const figure = (one: string, other: string) => contrast(colour(one), colour(other));

  test('the formula knows black, white and a grey in between', () => {
    expect(contrast(linear(0, 0, 0), linear(1, 0, 0))).toBeCloseTo(21, 1);
    expect(contrast(linear(0.6, 0, 0), linear(1, 0, 0))).toBeCloseTo(3.95, 1);
  });

  test('text is readable on every ground, 4.5 : 1', () => {
    const pairs = grounds.flatMap((ground) => words.map((word): [string, string] => [word, ground]));
    pairs.push(['on-accent', 'accent'], ['on-bad', 'bad']);
    for (const name of soft) pairs.push([name, `${name}-soft`], ['text', `${name}-soft`], ['muted', `${name}-soft`]);
    const low = pairs.filter(([one, other]) => figure(one, other) < 4.5);
    console.log(theme, pairs.map(([one, other]) => `${one}/${other} ${figure(one, other).toFixed(2)}`).join(', '));
    expect(low).toEqual([]);
  });

  test('shapes can be told from every ground, 3 : 1', () => {
    const pairs = grounds.flatMap((ground) => shapes.map((shape): [string, string] => [shape, ground]));
    console.log(theme, pairs.map(([one, other]) => `${one}/${other} ${figure(one, other).toFixed(2)}`).join(', '));
    expect(pairs.filter(([one, other]) => figure(one, other) < 3)).toEqual([]);
  });
});
