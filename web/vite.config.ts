import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` sends what it does not serve itself: the controller. */
const controller = process.env.PIERHEAD_URL ?? 'http://127.0.0.1:8080';

/** The controller refuses changes from another origin, so requests that pass here must look like its own. */
function proxied(websockets = false) {
  return {
    target: controller,
    changeOrigin: true,
    secure: false,
    ws: websockets,
    rewriteWsOrigin: true,
    headers: { origin: controller },
  };
}

export default defineConfig({
  // Relative addresses only: the console works behind any path prefix.
  base: './',
  plugins: [svelte()],
  // Tests run what browsers run, not what a server would.
  ...(process.env.VITEST ? { resolve: { conditions: ['browser'] } } : {}),
  build: {
    target: 'es2022',
    // Everything is a file of its own: `data:` addresses and scripts in the page are refused by the policy it is served with.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: {
    proxy: { '/api': proxied(true), '/auth': proxied(), '/account': proxied(), '/healthz': proxied() },
  },
  test: {
    include: ['src/**/*.test.ts', 'tests/unit/**/*.test.ts'],
    environment: './tests/unit/environment.ts',
    testTimeout: 60_000,
  },
});
