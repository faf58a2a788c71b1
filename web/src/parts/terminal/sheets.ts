/**
 * A document for xterm whose styles work under a policy without inline styles: their text goes into constructed style
 * sheets, which no policy has to allow since only a script can make them.
 */

/** What stands for a style element: an element that is not drawn, whose text goes into a sheet of the document. */
function throughSheet(document: Document): HTMLElement {
  // Even an empty style element would be reported.
  const element = Document.prototype.createElement.call(document, 'template');
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
  return element;
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
    if (name === 'style') return throughSheet(document);
    const element = document.createElement(name, options);
    if (name === 'span') throughStyle(element);
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

/**
 * Does something in which style elements are made by the document itself, and lets those work likewise: the bar for
 * scrolling is made so while a terminal is opened, whatever document it was given.
 */
export function whileStyledBySheets(document: Document, act: () => void): void {
  const { createElement } = styledBySheets(document);
  Object.defineProperty(document, 'createElement', {
    configurable: true,
    value: (name: string, options?: ElementCreationOptions) => {
      return name === 'style' ? createElement(name) : Document.prototype.createElement.call(document, name, options);
    },
  });
  try {
    act();
  } finally {
    // What the prototype has is in force again.
    Reflect.deleteProperty(document, 'createElement');
  }
}
