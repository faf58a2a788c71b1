/**
 * The HTML of a lab's page as a tree of what is known, so that nothing of it ever goes through the browser's own parser:
 * what a tag or an attribute is not known for is no element, whatever the server let through. Draws nothing.
 */

export interface Element {
  tag: string;
  attributes: Readonly<Record<string, string>>;
  children: readonly Node[];
}

/** The place of a block. */
export interface Slot {
  block: number;
}

export type Node = string | Element | Slot;

export const VOID = new Set(['br', 'hr']);

const TAGS = new Set(
  (
    'a abbr b blockquote br caption cite code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre ' +
    'q s samp small span strong sub summary sup u ul table tbody td th thead tr'
  ).split(' '),
);
/** Of these the content is no text. */
const WITH_CONTENT = new Set(
  'canvas iframe math noembed noframes noscript object script style svg template textarea title'.split(' '),
);
const BOXES = new Set(['callout', 'callout-title', 'callout-content']);
/** Deeper elements are left out; their text is not. */
const DEEPEST = 48;

const OPENING = /^<([a-z][a-z0-9]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*\/?>/i;
const CLOSING = /^<\/([a-z][a-z0-9]*)\s*>/i;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:="([^"]*)")?/g;

interface Open {
  tag: string;
  attributes: Record<string, string>;
  slot: number | undefined;
  children: Node[];
}

/** Reads the HTML of a page, as the server writes it. */
export function parse(html: string): Node[] {
  const root: Open = { tag: '', attributes: {}, slot: undefined, children: [] };
  const stack = [root];
  const top = () => stack[stack.length - 1] ?? root;
  const text = (piece: string) => {
    if (piece === '') return;
    const { children } = top();
    const last = children.length - 1;
    const before = children[last];
    if (typeof before === 'string') children[last] = before + decoded(piece);
    else children.push(decoded(piece));
  };
  const close = () => {
    const done = stack.pop();
    if (done) top().children.push(done.slot === undefined ? elementOf(done) : { block: done.slot });
  };

  for (let at = 0; at < html.length;) {
    const next = html.indexOf('<', at);
    if (next < 0) {
      text(html.slice(at));
      break;
    }
    text(html.slice(at, next));
    const rest = html.slice(next, next + LONGEST_TAG);
    const closing = CLOSING.exec(rest);
    if (closing) {
      const tag = (closing[1] ?? '').toLowerCase();
      if (stack.some((open) => open.tag === tag && open !== root)) {
        while (top().tag !== tag) close();
        close();
      }
      at = next + closing[0].length;
      continue;
    }
    const opening = OPENING.exec(rest);
    if (!opening) {
      // It looks like a tag and is none: it is text.
      text('<');
      at = next + 1;
      continue;
    }
    at = next + opening[0].length;
    const tag = (opening[1] ?? '').toLowerCase();
    if (WITH_CONTENT.has(tag)) {
      const end = new RegExp(`</${tag}`, 'gi');
      end.lastIndex = at;
      at = end.exec(html)?.index ?? html.length;
    } else if (TAGS.has(tag)) {
      const { attributes, slot } = attributesOf(tag, opening[2] ?? '');
      if (VOID.has(tag)) top().children.push({ tag, attributes, children: [] });
      else if (stack.length <= DEEPEST) stack.push({ tag, attributes, slot, children: [] });
    }
  }
  while (stack.length > 1) close();
  return root.children;
}

/** A tag with its attributes is no longer than this; what is, is text. */
const LONGEST_TAG = 8_192;

function elementOf({ tag, attributes, children }: Open): Element {
  return { tag, attributes, children };
}

function attributesOf(tag: string, text: string): { attributes: Record<string, string>; slot: number | undefined } {
  const attributes: Record<string, string> = {};
  let slot: number | undefined;
  for (const [, name = '', value = ''] of text.matchAll(ATTRIBUTE)) {
    const plain = decoded(value);
    if (name === 'data-block' && (tag === 'span' || tag === 'div') && /^\d{1,6}$/.test(plain)) slot = Number(plain);
    else if (isAllowed(tag, name, plain)) attributes[name] = plain;
  }
  if (tag === 'a' && attributes.href !== undefined) {
    attributes.target = '_blank';
    attributes.rel = 'noopener noreferrer nofollow';
  }
  return { attributes, slot };
}

function isAllowed(tag: string, name: string, value: string): boolean {
  const digits = (most: number) => /^\d+$/.test(value) && value.length <= most;
  switch (name) {
    case 'href':
      return tag === 'a' && /^(https?:\/\/|mailto:)[^\s\0]/i.test(value);
    case 'title':
      return tag === 'a' || tag === 'abbr';
    case 'class':
      return tag === 'div' ? BOXES.has(value) : tag === 'code' && /^language-[\w+#.-]{1,30}$/.test(value);
    case 'data-callout':
      return tag === 'div' && /^[a-z]{1,20}$/.test(value);
    case 'open':
      return tag === 'details';
    case 'start':
      return tag === 'ol' && digits(9);
    case 'colspan':
    case 'rowspan':
      return (tag === 'td' || tag === 'th') && digits(2);
    case 'align':
      return (tag === 'td' || tag === 'th') && ['left', 'center', 'right'].includes(value);
    default:
      return false;
  }
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
};

/** Text whose characters may be written by their names or numbers. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name)] ?? whole;
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : whole;
  });
}

/** All of it that can be read. */
export function textOf(nodes: readonly Node[]): string {
  return nodes.map((node) => (typeof node === 'string' ? node : 'block' in node ? '' : textOf(node.children))).join('');
}
