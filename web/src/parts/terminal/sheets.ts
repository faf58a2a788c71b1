/**
 * A document for xterm whose style elements work under a policy without inline styles: their text goes into constructed
 * style sheets, which no policy has to allow since only a script can make them.
 */

/** Lets a style element say its text through a sheet of the document instead of by itself. */
function throughSheet(element: HTMLElement, document: Document): void {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  let text = '';
  Object.defineProperty(element, 'textContent', {
    get: () => text,
    set: (css: string) => {
      text = css;
      sheet.replaceSync(css);
    },
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    HTMLElement.prototype.remove.call(element);
  };
}

/** Lets an element be styled by its attribute as it can be by its `style`. */
function throughStyle(element: HTMLElement): void {
  element.setAttribute = (name: string, value: string) => {
    if (name === 'style') element.style.cssText = value;
    else Element.prototype.setAttribute.call(element, name, value);
  };
}

/** The same document, but for the styles of what it makes. */
export function styledBySheets(document: Document): Document {
  const bound = new Map<PropertyKey, unknown>();
  const make = (name: string, options?: ElementCreationOptions) => {
    const element = document.createElement(name, options);
    if (name === 'style') throughSheet(element, document);
    else if (name === 'span') throughStyle(element);
    return element;
  };
  return new Proxy(document, {
    get: (target, property) => {
      if (property === 'createElement') return make;
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      if (!bound.has(property)) bound.set(property, value.bind(target));
      return bound.get(property);
    },
    set: (target, property, value) => Reflect.set(target, property, value),
  });
}
