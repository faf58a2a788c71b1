/** What somebody chose for this browser: theme, density, keys. (The language is in `i18n`.) */

export type Theme = 'system' | 'light' | 'dark';

const KEPT = 'pierhead.settings';

interface Kept {
  theme: Theme;
  dense: boolean;
  /** Whether single letters are keys; some people's speech or hands would press them by accident. */
  letters: boolean;
}

function kept(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Record<keyof Kept, unknown>;
    const theme = found.theme === 'light' || found.theme === 'dark' ? found.theme : 'system';
    return { theme, dense: found.dense === true, letters: found.letters !== false };
  } catch {
    return { theme: 'system', dense: false, letters: true };
  }
}

class Settings {
  theme = $state<Theme>('system');
  dense = $state(false);
  letters = $state(true);
  /** Which theme is on, whoever chose it: for what is drawn on a canvas. */
  shown = $state<'light' | 'dark'>('light');

  /** Whether the system is dark. There is one of these: each that is made would hear of each change. */
  #dark: MediaQueryList | undefined;

  constructor() {
    Object.assign(this, kept());
  }

  #followed(): MediaQueryList {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.onchange = () => this.apply();
    return dark;
  }

  /** Puts it into effect; called once, and after each change. */
  apply(): void {
    const dark = (this.#dark ??= this.#followed());
    this.shown = this.theme === 'system' ? (dark.matches ? 'dark' : 'light') : this.theme;
    const { dataset } = document.documentElement;
    if (this.theme === 'system') delete dataset.theme;
    else dataset.theme = this.theme;
    if (this.dense) dataset.dense = '';
    else delete dataset.dense;
  }

  set(change: Partial<Kept>): void {
    Object.assign(this, change);
    try {
      localStorage.setItem(KEPT, JSON.stringify({ theme: this.theme, dense: this.dense, letters: this.letters }));
    } catch {
      // Without storage the choice holds until the page is left.
    }
    this.apply();
  }
}

export const settings = new Settings();

/** A colour of the theme (`--accent`) as `#rrggbb`, for canvases. Read `settings.shown` to be called anew when it changes. */
export function colour(variable: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return '#808080';
  context.fillStyle = computed;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
