import { describe, expect, test } from 'vitest';
import { rowOf, rowsOf, tableOf, type ImageTable } from './images';

const table: ImageTable = {
  images: {
    ubuntu: { image: 'ubuntu:24.04' },
    'docker-in': { image: 'docker:dind', privileged: true },
    k8s: { environment: 'kube' },
  },
  otherwise: { environment: 'shell' },
};

describe('the table of images', () => {
  test('is the same after it was a form', () => {
    expect(tableOf(rowsOf(table), rowOf('', table.otherwise))).toEqual(table);
    expect(rowsOf(table).map(({ name }) => name)).toEqual(['docker-in', 'k8s', 'ubuntu']);
  });

  test('has no lines that say nothing, and no privileges for environments', () => {
    const rows = [
      { name: ' a ', kind: 'image', value: ' b ', isPrivileged: false },
      { name: '', kind: 'image', value: 'c', isPrivileged: false },
      { name: 'd', kind: 'image', value: ' ', isPrivileged: false },
      { name: 'e', kind: 'environment', value: 'f', isPrivileged: true },
    ] as const;
    expect(tableOf(rows, rowOf('', { image: 'x' }))).toEqual({
      images: { a: { image: 'b' }, e: { environment: 'f' } },
      otherwise: { image: 'x' },
    });
  });
});
