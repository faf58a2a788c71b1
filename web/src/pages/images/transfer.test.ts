import { describe, expect, test } from 'vitest';
import { ApiError } from '../../lib/api';
import { answered, nameOf, Pace, shortId, steps, type Image, type Step } from './transfer';

const image: Image = { id: `sha256:${'ab'.repeat(32)}`, tags: [], size: 1, engines: [] };

describe('how fast it goes', () => {
  test('is known from the second mark on', () => {
    const pace = new Pace();
    expect(pace.mark(1000, 0)).toBe(0);
    expect(pace.mark(1000, 50)).toBe(0);
    expect(pace.mark(2000, 500)).toBe(500);
  });

  test('is of the last seconds', () => {
    const pace = new Pace();
    for (let second = 0; second <= 10; second += 1) pace.mark(second * 1000, second * 1_000_000);
    const slow = Array.from({ length: 10 }, (_, at) => pace.mark((11 + at) * 1000, 10_000_000 + at * 1000));
    expect(slow.at(-1)).toBeLessThan(2_000);
  });
});

describe('an answer', () => {
  test('is the image', () => {
    expect(answered(201, JSON.stringify(image))).toEqual(image);
    expect(answered(200, JSON.stringify(image)).id).toBe(image.id);
  });

  test.each([
    [413, '{"code":"too_large","message":"the archive is too large"}', 'too_large', 'the archive is too large'],
    [502, '<html>', 'unreadable', '502'],
    [201, '', 'unreadable', '201'],
  ])('%s %s is a refusal', (status, text, code, message) => {
    const refused = () => answered(status, text);
    expect(refused).toThrow(ApiError);
    expect(refused).toThrow(expect.objectContaining({ status, code, message }));
  });
});

test('steps are whole lines, wherever they were cut', () => {
  const seen: Step[] = [];
  const take = steps((step) => seen.push(step));
  take('{"engine":"h1","state":"waiting","percent":0}\n{"engine":"h2","sta');
  expect(seen.length).toBe(1);
  take('te":"failed","percent":5,"message":"no room"}\n\n{"engine":"h1","state":"done","percent":100}');
  take('\n');
  expect(seen.map(({ engine, state }) => `${engine} ${state}`)).toEqual(['h1 waiting', 'h2 failed', 'h1 done']);
});

test('an image is called by its first name, of the hosts or else of its archive', () => {
  const archive = { tags: ['b:1'], size: 1, uploaded_at: '', uploaded_by: 'ann' };
  expect(nameOf({ ...image, tags: ['a:1', 'a:2'], archive })).toBe('a:1');
  expect(nameOf({ ...image, archive })).toBe('b:1');
  expect(nameOf(image)).toBe('');
  expect(shortId(image)).toBe('abababababab');
});
