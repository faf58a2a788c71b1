import { describe, expect, test } from 'vitest';
import { corpus } from '../../../../tests/browser/corpus';
import { parse, textOf, type Element, type Node } from './parse';

const elements = (nodes: readonly Node[]): Element[] =>
  nodes.flatMap((node) => (typeof node === 'string' || 'block' in node ? [] : [node, ...elements(node.children)]));
const KNOWN =
  /^(a|abbr|b|blockquote|br|code|dd|del|details|div|dl|dt|em|h[1-6]|hr|i|kbd|li|ol|p|pre|s|span|strong|sub|sup|summary|table|tbody|td|th|thead|tr|u|ul)$/;
const ATTRIBUTES = /^(href|title|class|data-callout|open|start|colspan|rowspan|align|target|rel)$/;

describe('the HTML of a page', () => {
  test('becomes a tree', () => {
    expect(parse('<p>Look at <code>ls</code> &amp; <em>more</em><br>there.</p>\n<hr>')).toEqual([
      {
        tag: 'p',
        attributes: {},
        children: [
          'Look at ',
          { tag: 'code', attributes: {}, children: ['ls'] },
          ' & ',
          { tag: 'em', attributes: {}, children: ['more'] },
          { tag: 'br', attributes: {}, children: [] },
          'there.',
        ],
      },
      '\n',
      { tag: 'hr', attributes: {}, children: [] },
    ]);
  });

  test('has places for blocks, by their numbers only', () => {
    expect(parse('a <span data-block="12"></span><div data-block="0"><p>lost</p></div>')).toEqual([
      'a ',
      { block: 12 },
      { block: 0 },
    ]);
    expect(
      elements(parse('<p data-block="1">x</p><span data-block="x">y</span><div data-block="-1">z</div>')),
    ).toHaveLength(3);
  });

  test('keeps what text says, character for character', () => {
    expect(textOf(parse('<pre><code>if (a &lt; b &amp;&amp; c) {\n  &quot;&#39;&#x4e2d;&nbsp;\n}</code></pre>'))).toBe(
      'if (a < b && c) {\n  "\'中\u00a0\n}',
    );
    expect(textOf(parse('1 < 2 & 3 > 2 &unknown; &#0; &#xd800; &#1114112;'))).toBe(
      '1 < 2 & 3 > 2 &unknown; &#0; &#xd800; &#1114112;',
    );
  });

  test('keeps attributes that say how text is, with values of their form', () => {
    const [box, code, list, cell, details, link] = elements(
      parse(
        '<div class="callout" data-callout="note"></div><code class="language-c++"></code><ol start="3"></ol>' +
          '<td align="right" colspan="2"></td><details open></details><a href="https://a.example/?b=1&amp;c=2" title="t">x</a>',
      ),
    );
    expect(box?.attributes).toEqual({ class: 'callout', 'data-callout': 'note' });
    expect(code?.attributes).toEqual({ class: 'language-c++' });
    expect(list?.attributes).toEqual({ start: '3' });
    expect(cell?.attributes).toEqual({ align: 'right', colspan: '2' });
    expect(details?.attributes).toEqual({ open: '' });
    expect(link?.attributes).toEqual({
      href: 'https://a.example/?b=1&c=2',
      title: 't',
      target: '_blank',
      rel: 'noopener noreferrer nofollow',
    });
    const odd = '<div class="app" id="x" style="color:red" onclick="ran()"></div><td colspan="1000" align="top"></td>';
    expect(elements(parse(odd)).map(({ attributes }) => attributes)).toEqual([{}, {}]);
  });

  test.each([
    'javascript:ran()',
    ' javascript:ran()',
    'JaVaScRiPt:ran()',
    'java&#115;cript:ran()',
    'data:text/html,x',
    'vbscript:x',
    '//elsewhere.example',
    '/api/labs',
    'blob:x',
    '',
  ])('leads nowhere by %j', (address) => {
    const [link] = elements(parse(`<a href="${address}">x</a>`));
    expect(link).toEqual({ tag: 'a', attributes: {}, children: ['x'] });
  });

  test.each(corpus)('is only text and marks, whatever it is: %j', (hostile) => {
    for (const html of [hostile, `<p>${hostile}</p>`, `<a href="${hostile}">x</a>`, `<p title="${hostile}">x</p>`]) {
      for (const { tag, attributes } of elements(parse(html))) {
        expect(tag).toMatch(KNOWN);
        for (const [name, value] of Object.entries(attributes)) {
          expect(name).toMatch(ATTRIBUTES);
          if (name === 'href') expect(value).toMatch(/^(https?|mailto):/);
        }
      }
    }
  });

  test('drops what is no text: scripts, styles, pictures in words', () => {
    expect(textOf(parse('a<script>ran()</script>b<style>p{}</style>c<svg><a>d</a></svg>e<script>never closed'))).toBe(
      'abce',
    );
  });

  test('is read in bounded depth and time', () => {
    const deep = 5_000;
    const tree = parse(`${'<div>'.repeat(deep)}deep${'</div>'.repeat(deep)}`);
    let depth = 0;
    for (let node: Node | undefined = tree[0]; typeof node === 'object' && 'tag' in node; node = node.children[0])
      depth += 1;
    expect(depth).toBeLessThan(60);
    expect(textOf(tree)).toBe('deep');
    const begun = performance.now();
    parse('<'.repeat(200_000));
    parse('<p '.repeat(60_000));
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  test('closes what is left open, and ignores what closes nothing', () => {
    expect(parse('</p><p>a<b>b</p>c')).toEqual([
      { tag: 'p', attributes: {}, children: ['a', { tag: 'b', attributes: {}, children: ['b'] }] },
      'c',
    ]);
  });
});
