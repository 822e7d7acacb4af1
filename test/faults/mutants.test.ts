import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { applyPatch, mutants } from './mutants.ts';
import { scenarios } from './scenarios/scenarios.ts';

it('every patch has a mutant, every mutant a patch and plans', async () => {
  const patches = await readdir(join(import.meta.dirname, 'mutants'));
  expect(mutants.map(({ name }) => `${name}.patch`).toSorted()).toEqual(patches.toSorted());
  expect(mutants.length).toBeGreaterThanOrEqual(10);
  const played = mutants.flatMap(({ plans }) => plans.map(({ scenario }) => scenario));
  expect(played.filter((scenario) => scenarios[scenario] === undefined)).toEqual([]);
});

it.each(mutants)('the patch $name fits the sources', async ({ name }) => {
  const root = join(import.meta.dirname, '..', '..');
  await expect(applyPatch(name, root, ['--check'])).resolves.toBeUndefined();
});
