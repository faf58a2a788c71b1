/** Asks the planner where something would go, a moment after what is asked has changed, or the pool. */
import { untrack } from 'svelte';
import { ApiError, post, type Schemas } from '../../lib/api';
import { connection } from '../../lib/live.svelte';
import type { Description } from './form';

export interface Question {
  image: Description;
  count: number;
}

const TYPING_MS = 250;
/** Events come in bursts; what is drawn need not follow each. */
const POOL_MS = 1_000;

class Answer {
  value = $state.raw<Schemas['ExplainView']>();
  /** What the value is an answer to. */
  of = $state.raw<Question>();
  error = $state.raw<ApiError>();
  isAsking = $state(false);
}

/** The planner's answer for as long as the calling component is there; `question` may be null for nothing to ask. */
export function ask(question: () => Question | null): Answer {
  const answer = new Answer();
  const wanted = $derived(JSON.stringify(question()));
  let turn = $state(0);

  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = connection.listen((event) => {
      if (event.tags.includes('security')) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        turn += 1;
      }, POOL_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  });

  let before = '';
  $effect(() => {
    const text = wanted;
    void turn;
    return untrack(() => {
      if (text === 'null') {
        answer.value = answer.of = answer.error = undefined;
        answer.isAsking = false;
        return;
      }
      const stop = new AbortController();
      const isNew = text !== before;
      before = text;
      if (isNew) answer.isAsking = true;
      const timer = setTimeout(
        () => void put(answer, JSON.parse(text) as Question, stop.signal),
        isNew ? TYPING_MS : 0,
      );
      return () => {
        clearTimeout(timer);
        stop.abort();
      };
    });
  });
  return answer;
}

async function put(answer: Answer, question: Question, signal: AbortSignal): Promise<void> {
  try {
    const value = await post('/api/explain', { body: question, signal });
    answer.value = value;
    answer.of = question;
    answer.error = undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) {
      if (signal.aborted) return;
      throw error;
    }
    answer.error = error;
    if (!error.isOffline) answer.value = undefined;
  }
  answer.isAsking = false;
}
