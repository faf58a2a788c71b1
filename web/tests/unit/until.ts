import { vi } from 'vitest';

/** Waits for what comes by itself: soon, and on a busy machine within 20 s. */
export const until = (holds: () => void) => vi.waitFor(holds, 20_000);
