import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { codeIn, readPage, tableUnder } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readPage('docs/security.md');
const roleSchema = z.looseObject({
  kind: z.string(),
  metadata: z.object({ name: z.string() }),
  rules: z.array(z.looseObject({ resources: z.array(z.string()), verbs: z.array(z.string()) })).optional(),
});

const objects = globSync('rbac/*.yaml', { cwd: root })
  .flatMap((file) => parseAllDocuments(readFileSync(join(root, file), 'utf8')))
  .map((document) => roleSchema.parse(document.toJS()));
const clusterRoles = objects.filter(({ kind }) => kind === 'ClusterRole');

describe('the page on security', () => {
  it('has a line for every role that comes with Keyferry', () => {
    const names = new Set(clusterRoles.map(({ metadata }) => metadata.name));
    const rows = tableUnder(page, 'What each permission gives').map(([name = '']) => codeIn(name)[0] ?? '');
    const listed = rows.filter((name) => name.startsWith('keyferry'));
    expect(listed.toSorted()).toEqual([...names].toSorted());
  });

  it('has a line for every verb of its own that a role grants', () => {
    const own = new Set(['use', 'put', 'access', 'destroy']);
    const granted = new Set(clusterRoles.flatMap(({ rules = [] }) => rules.flatMap(({ verbs }) => verbs)));
    const rows = tableUnder(page, 'What each permission gives').flatMap(([name = '']) => codeIn(name).slice(0, 1));
    expect(rows.filter((name) => own.has(name)).toSorted()).toEqual([...own].toSorted());
    expect([...own].filter((verb) => !granted.has(verb))).toEqual([]);
  });

  it('is right that no role of Keyferry has a right on what it says that it has none on', () => {
    const named = objects.flatMap(({ rules = [] }) => rules.flatMap(({ resources }) => resources));
    const none = new Set(['roles', 'clusterroles', 'rolebindings', 'serviceaccounts/token', 'nodes', 'users', '*']);
    expect(named.filter((resource) => none.has(resource))).toEqual([]);
    expect(named.filter((resource) => /^validatingadmissionpolic|^customresourcedefinitions/.test(resource))).toEqual(
      [],
    );
  });
});
