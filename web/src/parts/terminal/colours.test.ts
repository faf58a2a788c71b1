import { describe, expect, test } from 'vitest';
import { themeOf } from './colours';

function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const NAMES = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

describe.each([
  ['light', '#ffffff'],
  ['dark', '#20262e'],
] as const)('in the %s theme', (shown, ground) => {
  const theme = themeOf(shown, (variable) => (variable === '--raised' ? ground : '#123456'));

  test.each(NAMES)('%s can be read, plain and bright', (name) => {
    const light = `bright${name[0]?.toUpperCase()}${name.slice(1)}` as keyof typeof theme;
    expect(contrast(String(theme[name]), ground)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(String(theme[light]), ground)).toBeGreaterThanOrEqual(4.5);
  });

  test("all sixteen are there, and the ground is the console's", () => {
    expect(Object.values(theme).every((value) => /^#[0-9a-f]{6,8}$/.test(String(value)))).toBe(true);
    expect(
      Object.keys(theme).filter((name) => /black|red|green|yellow|blue|magenta|cyan|white/i.test(name)).length,
    ).toBe(16);
    expect(theme.background).toBe(ground);
  });
});
