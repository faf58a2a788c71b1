/** English and Chinese. Messages live in `src/messages/AREA.ts`, both languages side by side; nothing else holds text. */

export type Language = 'en' | 'zh';
export const LANGUAGES: readonly { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'zh', name: '中文' },
];

type Pair = readonly [english: string, chinese: string];
export type Messages = Readonly<Record<string, Pair>>;

/** The names in `{name}` and `{name|one|many}` of a message. */
type Names<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Plain}|${string}` ? Plain : Name) | Names<Rest>
  : never;
type Values<S extends string> = [Names<S>] extends [never] ? [] : [values: Record<Names<S>, string | number>];

const KEPT = 'pierhead.language';

function ofBrowser(): Language {
  const wanted = globalThis.navigator?.languages ?? [];
  for (const tag of wanted) {
    if (tag.toLowerCase().startsWith('zh')) return 'zh';
    if (tag.toLowerCase().startsWith('en')) return 'en';
  }
  return 'en';
}

function kept(): Language | null {
  try {
    const found = localStorage.getItem(KEPT);
    return found === 'en' || found === 'zh' ? found : null;
  } catch {
    return null;
  }
}

class Languages {
  /** What was chosen, or nothing to follow the browser. */
  chosen = $state<Language | null>(kept());
  current = $derived<Language>(this.chosen ?? ofBrowser());
  /** For numbers and dates. */
  locale = $derived(this.current === 'zh' ? 'zh-CN' : 'en-GB');

  choose(language: Language | null): void {
    this.chosen = language;
    try {
      if (language) localStorage.setItem(KEPT, language);
      else localStorage.removeItem(KEPT);
    } catch {
      // Without storage the choice holds until the page is left.
    }
  }
}

export const language = new Languages();

/** Declares an area's messages; `{name}` is replaced, `{n|host|hosts}` chooses by whether `n` is 1. */
export function messages<const M extends Messages>(area: M): M {
  return area;
}

/** The function that says an area's messages in the language of the moment. */
export function words<const M extends Messages>(area: M) {
  return <K extends keyof M & string>(key: K, ...values: Values<M[K][0]>): string => {
    const pair = area[key] as Pair;
    return fill(pair[language.current === 'zh' ? 1 : 0], values[0] ?? {}, language.locale);
  };
}

/** Puts values into a message. */
export function fill(text: string, values: Record<string, string | number>, locale: string): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one !== undefined) return (value === 1 ? one : many) ?? '';
    return typeof value === 'number' ? value.toLocaleString(locale) : value;
  });
}
