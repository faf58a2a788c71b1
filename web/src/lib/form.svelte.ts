/** A form on its way to the controller: one at a time, and what came of it. */

import { ApiError } from './api';

export class Sending {
  busy = $state(false);
  error = $state.raw<ApiError | undefined>(undefined);

  /** Does it; answers whether it went well. What the API refused is in `error`. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = undefined;
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
      return false;
    } finally {
      this.busy = false;
    }
  }

  clear(): void {
    this.error = undefined;
  }
}

/** A password that nobody guesses and everybody can type: 20 letters and digits that are not mistaken for others. */
export function madeUpPassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
  const password: string[] = [];
  while (password.length < 20) {
    const [random = 255] = crypto.getRandomValues(new Uint8Array(1));
    // Each letter as likely as any other.
    if (random < 256 - (256 % letters.length)) password.push(letters[random % letters.length] ?? '');
  }
  return password.join('');
}
