/** Labs that tests make by the API. */

import { api, putText } from './api';
import { ADMIN, ann } from './people';

/** The files of a lab whose environment waits for a host that nobody has labelled: it takes room from nobody. */
export const SAMPLER: Readonly<Record<string, string>> = {
  'lab.yaml': `title: A page of your own
summary: Start a web server and look at it.
environment: locked
minutes: 20
languages: [en, zh]
`,
  'steps/01-serve.md': `---
checks:
  - title: Your page is served
    run: test -e /tmp/served
    continuous: true
  - title: It says your word
    run: test -e /tmp/word
    hints:
      - {text: The server runs and shows another page.}
---

# Serve it

Look at the folder with \`ls /srv\`{run}, then copy your word \`mango\`{copy}.

\`\`\`html edit file=/srv/index.html
<h1>mango</h1>
\`\`\`

1. Start the server:

   \`\`\`sh run interrupt
   cd /srv && python3 -m http.server 8000
   \`\`\`

2. [Open your page](preview:8000/). It should look like this:

   ![a page with one word](/images/page.svg)

> [!NOTE]
> Press <kbd>Ctrl</kbd>+<kbd>C</kbd> to end it.

| what | where |
|---|---|
| page | /srv |

> [!HINT] Is the port taken?
> End what runs there.

> [!HINT] Still?
> Take another one.

\`\`\`quiz name=port
On which port does it listen?
- [ ] 80
- [x] 8000
> It was told so on the command line.
\`\`\`
`,
  'steps/02-change.md': '# Say another word\n\nWrite something else. Then go [back](01-serve.md).\n',
  'images/page.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="90"><rect width="320" height="90" fill="#dde"/><text x="20" y="55">mango</text></svg>',
};

/** Makes a lab of these files, publishes it, and lets everybody see it. */
export async function writeLab(id: string, files: Readonly<Record<string, string>>, token?: string): Promise<void> {
  await api('POST', '/api/labs', { id }, token);
  const there = await api<{ path: string; digest: string }[]>('GET', `/api/labs/${id}/files`, undefined, token);
  for (const { path, digest } of there.filter((one) => !(one.path in files) && one.path !== 'lab.yaml')) {
    await del(id, path, digest, token);
  }
  for (const [path, text] of Object.entries(files)) {
    const known = there.find((one) => one.path === path)?.digest;
    const only: Record<string, string> = known ? { 'if-match': `"${known}"` } : { 'if-none-match': '*' };
    await putText(`/api/labs/${id}/files/content?path=${encodeURIComponent(path)}`, text, only, token);
  }
  await api('POST', `/api/labs/${id}/publish`, { note: 'made by a test' }, token);
  await api('PUT', `/api/labs/${id}`, { visibility: 'shared' }, token);
}

async function del(id: string, path: string, digest: string, token?: string): Promise<void> {
  await api('DELETE', `/api/labs/${id}/files/content?path=${encodeURIComponent(path)}`, undefined, token, {
    'if-match': `"${digest}"`,
  });
}

/** A course with a lab that is due and graded; its teacher takes it too, and has handed in. */
export async function teach(course: string, lab: string): Promise<void> {
  const sessions = [{ starts: '2050-11-24T08:00', ends: '2050-11-24T09:40', lab }];
  await api('POST', '/api/courses', {
    id: course,
    title: 'Pages of your own',
    zone: 'Asia/Shanghai',
    labs: [{ lab }],
    sessions,
  });
  const students = [{ username: ADMIN }, { username: ann.username, group: 'A' }];
  await api('POST', `/api/courses/${course}/students`, { students });
  const rubric = [
    { id: 'work', title: 'What is checked', from: 'checks', most: 8 },
    { id: 'style', title: 'Style', from: 'hand', most: 2 },
  ];
  await api('PUT', `/api/courses/${course}/work/${lab}`, { due: '2050-12-01T18:00', rubric });
  await api('POST', `/api/courses/${course}/work/${lab}/submissions`);
  await api('PUT', `/api/courses/${course}/grades/${lab}/${ann.username}`, {
    points: { style: 1.5 },
    comment: 'Neat.',
  });
}
