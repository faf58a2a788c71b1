/** How a terminal's cells and a window go together. All lengths in CSS pixels. */

export interface Size {
  width: number;
  height: number;
}

export interface Grid {
  columns: number;
  rows: number;
}

/** A cell at a size of the font. */
export interface Cell extends Size {
  font: number;
}

export const USUAL_FONT = 14;
export const FONTS: readonly number[] = [10, 11, 12, 13, 14, 15, 16, 18, 20, 24, 28];
const SMALLEST_FONT = 4;
const FEWEST: Grid = { columns: 2, rows: 1 };
const MOST: Grid = { columns: 500, rows: 200 };

/** How many cells there is room for with a font. */
export function room(box: Size, cell: Cell, font: number): Grid | null {
  if (!(box.width > 0 && box.height > 0 && cell.width > 0 && cell.height > 0)) return null;
  const scale = font / cell.font;
  const many = (length: number, one: number) => Math.floor(length / (one * scale) + 1e-6);
  return {
    columns: Math.min(MOST.columns, Math.max(FEWEST.columns, many(box.width, cell.width))),
    rows: Math.min(MOST.rows, Math.max(FEWEST.rows, many(box.height, cell.height))),
  };
}

/** The font with which all cells can be seen, but not a larger one than `wanted`; in steps of a half. */
export function fontFor(box: Size, cell: Cell, grid: Grid, wanted: number): number {
  if (!(box.width > 0 && box.height > 0 && cell.width > 0 && cell.height > 0)) return wanted;
  const across = (box.width * cell.font) / (cell.width * grid.columns);
  const down = (box.height * cell.font) / (cell.height * grid.rows);
  const largest = Math.floor(Math.min(across, down) * 2) / 2;
  return Math.max(SMALLEST_FONT, Math.min(wanted, largest));
}

/** The next size of the font in a direction. */
export function nextFont(font: number, direction: 1 | -1): number {
  const larger = FONTS.find((one) => one > font);
  const smaller = FONTS.findLast((one) => one < font);
  return (direction > 0 ? larger : smaller) ?? font;
}
