import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { styledBySheets, whileStyledBySheets } from './sheets';

/** As little of a document as is needed to see what becomes of styles. */
class Piece {
  readonly name: string;
  readonly style = { cssText: '' };
  readonly attributes = new Map<string, string>();
  isGone = false;

  constructor(name: string) {
    this.name = name;
  }

  setAttribute(name: string, value: string) {
    if (name === 'style') throw new Error('refused by the policy');
    this.attributes.set(name, value);
  }

  remove() {
    this.isGone = true;
  }
}

class Sheet {
  text = '';
  replaceSync(text: string) {
    this.text = text;
  }
}

class Page {
  adoptedStyleSheets: Sheet[] = [];
  title = 'console';
  createElement(name: string) {
    if (!(this instanceof Page)) throw new TypeError('Illegal invocation');
    if (name === 'style') throw new Error('refused by the policy');
    return new Piece(name);
  }
}

type Styled = Piece & { textContent: string };
let page: Page;

beforeEach(() => {
  page = new Page();
  vi.stubGlobal('Document', Page);
  vi.stubGlobal('HTMLElement', Piece);
  vi.stubGlobal('Element', Piece);
  vi.stubGlobal('CSSStyleSheet', Sheet);
});
afterEach(() => void vi.unstubAllGlobals());

const document = () => page as unknown as Document;
const texts = () => page.adoptedStyleSheets.map((sheet) => sheet.text);

describe('a document for terminals', () => {
  test('puts styles into sheets, and takes them away with their element', () => {
    const styled = styledBySheets(document());
    const one = styled.createElement('style') as unknown as Styled;
    const other = styled.createElement('style') as unknown as Styled;
    one.textContent = '.a { color: red }';
    other.textContent = '.b {}';
    one.textContent = '.a { color: blue }';
    expect(one.textContent).toBe('.a { color: blue }');
    expect(one.name).not.toBe('style');
    expect(texts()).toEqual(['.a { color: blue }', '.b {}']);
    one.remove();
    expect(one.isGone).toBe(true);
    expect(texts()).toEqual(['.b {}']);
  });

  test('lets a span be styled by its attribute', () => {
    const span = styledBySheets(document()).createElement('span') as unknown as Piece;
    span.setAttribute('style', 'color:#ff8000;');
    span.setAttribute('class', 'x');
    expect(span.style.cssText).toBe('color:#ff8000;');
    expect(span.attributes).toEqual(new Map([['class', 'x']]));
  });

  test('is the same document otherwise', () => {
    const styled = styledBySheets(document());
    expect(styled).toBeInstanceOf(Page);
    expect(styled.title).toBe('console');
    styled.title = 'other';
    expect(page.title).toBe('other');
    expect((styled.createElement('div') as unknown as Piece).name).toBe('div');
    expect(styled.createElement).toBe(styled.createElement);
  });
});

describe('while a terminal is opened', () => {
  test("the page's own document does the same, and no longer", () => {
    whileStyledBySheets(document(), () => {
      const style = page.createElement('style') as Styled;
      style.textContent = '.c {}';
      expect(page.createElement('div').name).toBe('div');
    });
    expect(texts()).toEqual(['.c {}']);
    expect(Object.hasOwn(page, 'createElement')).toBe(false);
    expect(() => page.createElement('style')).toThrow('refused');
  });

  test('it is put back also if that fails', () => {
    const failing = () => {
      throw new Error('no such element');
    };
    expect(() => whileStyledBySheets(document(), failing)).toThrow('no such element');
    expect(Object.hasOwn(page, 'createElement')).toBe(false);
  });
});
