/**
 * Streams only while somebody looks: a browser has six connections for one server over plain HTTP, whatever the number
 * of its tabs, and a stream holds one.
 */

/** How long a page may be hidden before its streams are closed: long enough for a look at another tab. */
const HIDDEN_FOR_MS = 5_000;

/**
 * Runs `work` while the page is seen: it is called off when the page was hidden for some seconds, and begun anew when it
 * is seen again. Answers how to end it.
 */
export function whileSeen(work: (signal: AbortSignal) => Promise<void>): () => void {
  let stop: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const begin = () => {
    if (stop && !stop.signal.aborted) return;
    stop = new AbortController();
    void work(stop.signal);
  };
  const changed = () => {
    clearTimeout(timer);
    if (document.visibilityState === 'visible') begin();
    else timer = setTimeout(() => stop?.abort(), HIDDEN_FOR_MS);
  };

  document.addEventListener('visibilitychange', changed);
  if (document.visibilityState === 'visible') begin();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', changed);
    stop?.abort();
  };
}
