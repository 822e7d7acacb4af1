import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { generatedFiles, generatedFolders } from './generate.ts';

const root = join(import.meta.dirname, '..');
const files = generatedFiles();

const roleSchema = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  rules: z.array(
    z.object({
      apiGroups: z.array(z.string()),
      resources: z.array(z.string()),
      verbs: z.array(z.string()),
      resourceNames: z.array(z.string()).optional(),
    }),
  ),
});

const roles = [...files]
  .filter(([path]) => path.startsWith('rbac/'))
  .flatMap(([, content]) => parseAllDocuments(content))
  .flatMap((document) => roleSchema.safeParse(document.toJS()).data ?? []);

describe('the generated files', () => {
  it.each([...files])('%s is what the code generates (`make generate` writes it)', (path, content) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(content);
  });

  it('are all that stands in their folders', () => {
    const present = generatedFolders.flatMap((folder) =>
      readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
    );

    expect(present.toSorted()).toEqual([...files.keys()].toSorted());
  });
});

describe('the roles', () => {
  it('rule 1: list verbs and resources and have no wildcard', () => {
    expect(roles).toHaveLength(5);
    const words = roles.flatMap(({ rules }) =>
      rules.flatMap((rule) => [rule.apiGroups, rule.resources, rule.verbs].flat()),
    );
    expect(words.filter((word) => word.includes('*'))).toEqual([]);
  });

  it('rule 1: add to `view` only reading, to `edit` only the writing of references', () => {
    const aggregated = roles.filter(({ metadata }) => Object.keys(metadata.labels).length > 0);

    expect(aggregated.map(({ metadata, rules }) => ({ labels: metadata.labels, rules }))).toEqual([
      {
        labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
        rules: [
          {
            apiGroups: ['keyferry.io'],
            resources: ['secretreferences', 'secretmanagers', 'clustersecretmanagers'],
            verbs: ['get', 'list', 'watch'],
          },
        ],
      },
      {
        labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' },
        rules: [
          {
            apiGroups: ['keyferry.io'],
            resources: ['secretreferences'],
            verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
          },
        ],
      },
    ]);
  });

  it('rule 1: give `use` in one role only, of one manager', () => {
    const using = roles.filter(({ rules }) => rules.some(({ verbs }) => verbs.includes('use')));

    expect(
      using.map(({ metadata, rules }) => ({ name: metadata.name, names: rules.map((rule) => rule.resourceNames) })),
    ).toEqual([{ name: 'keyferry-use-default-manager', names: [['default']] }]);
  });
});
