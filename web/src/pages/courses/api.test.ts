import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { editCourse } from './api';

let revision: number;
let labs: { lab: string }[];
let others: number;

/** A controller with a course that others change, so many times, between what is read and what is written. */
beforeEach(() => {
  [revision, labs, others] = [1, [], 0];
  vi.stubGlobal('document', { baseURI: 'http://console/', cookie: '' });
  vi.stubGlobal('fetch', (_: URL, init: RequestInit) => {
    if (init.method?.toLowerCase() === 'get') {
      const read = { id: 'cs', revision, labs };
      if (others > 0) {
        [revision, others] = [revision + 1, others - 1];
        labs = [...labs, { lab: `other-${revision}` }];
      }
      return Promise.resolve(Response.json(read));
    }
    if (new Headers(init.headers).get('if-match') !== `"${revision}"`) {
      return Promise.resolve(Response.json({ code: 'changed_meanwhile', message: 'changed' }, { status: 412 }));
    }
    ({ labs } = JSON.parse(String(init.body)) as { labs: { lab: string }[] });
    return Promise.resolve(Response.json({ id: 'cs', revision, labs }));
  });
});
afterEach(() => vi.unstubAllGlobals());

const add = () => editCourse('cs', (course) => ({ labs: [...course.labs, { lab: 'mine' }] }));

test('what others change in the same moment stays', async () => {
  others = 2;
  await add();
  expect(labs.map(({ lab }) => lab)).toEqual(['other-2', 'other-3', 'mine']);
});

test('who comes too late again and again is told', async () => {
  others = 1_000;
  await expect(add()).rejects.toMatchObject({ status: 412 });
});
