import type { Environment } from 'vitest/runtime';

/** Node as it is, with modules compiled as for a browser: runes do nothing in what a server would run. */
export default {
  name: 'browser-modules',
  viteEnvironment: 'client',
  setup: () => ({ teardown: () => {} }),
} satisfies Environment;
