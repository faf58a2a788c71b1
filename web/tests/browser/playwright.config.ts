import { defineConfig } from '@playwright/test';
import { out } from './place';

/**
 * All tests share one pool but the story, which has one of its own and takes longest. Files run two at a time and get along;
 * then come those that empty and break the hosts.
 */
export default defineConfig({
  testDir: '.',
  workers: 2,
  fullyParallel: false,
  retries: 0,
  // Several times what they take: cores are slow, and busy with containers too.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  outputDir: `${out}/results`,
  globalSetup: './setup.ts',
  projects: [
    { name: 'story', testMatch: 'story.test.ts' },
    { name: 'calm', testIgnore: ['story.test.ts', 'pool.test.ts', 'storms.test.ts'] },
    { name: 'moves', testMatch: 'pool.test.ts', dependencies: ['calm'] },
    { name: 'storms', testMatch: 'storms.test.ts', dependencies: ['moves'] },
  ],
  reporter: [['list'], ['./summary.ts']],
  use: {
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    colorScheme: 'light',
    screenshot: 'only-on-failure',
    // Without a film, which takes as long as the tests themselves.
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: false },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
