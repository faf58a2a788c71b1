/** Text that somebody may write into names, labels and logs so that it does something in another person's browser. */

/** Each would call `ran()` in a page that takes it for markup, a script or an address to open. */
export const corpus: readonly string[] = [
  '<script>ran()</script>',
  '"><script>ran()</script>',
  '\'"><img src=x onerror=ran()>',
  '<img src=x onerror="ran()">',
  '<svg onload=ran()>',
  '<svg><script>ran()</script></svg>',
  '<iframe srcdoc="<script>parent.ran()</script>"></iframe>',
  '<details open ontoggle=ran()>',
  '<a href="javascript:ran()">click</a>',
  'javascript:ran()//',
  'data:text/html,<script>ran()</script>',
  '{{constructor.constructor("ran()")()}}',
  '${ran()}',
  '</textarea></title><script>ran()</script>',
  '<style>@import "//elsewhere.example/x.css";</style>',
  '<link rel=stylesheet href=//elsewhere.example/x.css>',
  '<meta http-equiv=refresh content="0;url=javascript:ran()">',
  '<base href=//elsewhere.example/>',
  '&lt;script&gt;ran()&lt;/script&gt;',
  '\u202e<script>ran()</script>',
];

const ESC = '\u001b';
const BEL = '\u0007';

/** What a program may print at a terminal so that it does something outside of it. */
export const escapes: readonly string[] = [
  `${ESC}]0;<img src=x onerror=ran()>${BEL}`,
  `${ESC}]2;"><script>ran()</script>${BEL}`,
  // The clipboard: set, and asked for.
  `${ESC}]52;c;${Buffer.from('stolen').toString('base64')}${BEL}`,
  `${ESC}]52;c;?${BEL}`,
  // Links that are none of the web.
  `${ESC}]8;;javascript:ran()${BEL}a link${ESC}]8;;${BEL}`,
  `${ESC}]8;;data:text/html,<script>ran()</script>${BEL}another${ESC}]8;;${BEL}`,
  `${ESC}]8;;file:///etc/passwd${BEL}a third${ESC}]8;;${BEL}`,
  // What asks the terminal to type something.
  `${ESC}[21t${ESC}]4;0;?${BEL}${ESC}P$q"p${ESC}\\${ESC}[6n${ESC}[c`,
  // Too much of everything.
  `${ESC}[999999999;999999999H${ESC}[999999999b${ESC}]0;${'x'.repeat(5000)}${BEL}`,
  `${ESC}P${'q'.repeat(2000)}${ESC}\\`,
];
