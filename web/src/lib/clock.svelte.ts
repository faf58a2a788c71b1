/** The moment, as what is shown depends on it: once a second while somebody looks. */

class Clock {
  /** Milliseconds since 1970. */
  now = $state(Date.now());

  constructor() {
    setInterval(() => {
      if (typeof document === 'undefined' || document.visibilityState === 'visible') this.now = Date.now();
    }, 1000);
    globalThis.document?.addEventListener('visibilitychange', () => {
      this.now = Date.now();
    });
  }
}

export const clock = new Clock();
