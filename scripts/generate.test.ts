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

function rolesIn(content: string): readonly z.infer<typeof roleSchema>[] {
  return parseAllDocuments(content).flatMap((document) => roleSchema.safeParse(document.toJS()).data ?? []);
}

const rulesIn = (content: string): z.infer<typeof roleSchema>['rules'] =>
  rolesIn(content).flatMap(({ rules }) => rules);

const roles = [...files].filter(([path]) => path.startsWith('rbac/')).flatMap(([, content]) => rolesIn(content));

describe('the generated files', () => {
  it.each([...files])('%s is what the code generates (`make generate` writes it)', (path, content) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(content);
  });

  it('are all that stands in their folders', () => {
    const present = generatedFolders.flatMap((folder) =>
      readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
    );

    const whole = [...files.keys()].filter((path) => generatedFolders.some((folder) => path.startsWith(`${folder}/`)));
    expect(present.toSorted()).toEqual(whole.toSorted());
  });
});

describe('the roles', () => {
  it('security rule 1: list verbs and resources and have no wildcard', () => {
    expect(roles).toHaveLength(13);
    const words = roles.flatMap(({ rules }) =>
      rules.flatMap((rule) => [rule.apiGroups, rule.resources, rule.verbs].flat()),
    );
    expect(words.filter((word) => word.includes('*'))).toEqual([]);
  });

  it('security rule 1: add to `view` only reading, to `edit` only the writing of references', () => {
    const aggregated = roles.filter(({ metadata }) => Object.keys(metadata.labels).length > 0);

    expect(aggregated.map(({ metadata, rules }) => ({ labels: metadata.labels, rules }))).toEqual([
      {
        labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
        rules: [
          {
            apiGroups: ['keyferry.io'],
            resources: [
              'secretreferences',
              'secretmanagers',
              'clustersecretmanagers',
              'versionedsecrets',
              'secretversions',
              'secrettypes',
            ],
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

  it.each([
    ['put', ['keyferry-member', 'keyferry-admin']],
    ['access', ['keyferry-revealer', 'keyferry-admin']],
    ['destroy', ['keyferry-admin']],
  ])('security rule 1: give `%s` in roles that go into no other', (verb, expected) => {
    const giving = roles.filter(({ rules }) => rules.some(({ verbs }) => verbs.includes(verb)));

    expect(giving.map(({ metadata }) => metadata.name)).toEqual(expected);
    expect(giving.flatMap(({ metadata }) => Object.keys(metadata.labels))).toEqual([]);
  });

  it('security rule 1: give the status of nothing to anybody but the operator', () => {
    const giving = roles.filter(({ rules }) =>
      rules.some(({ resources }) => resources.some((name) => name.endsWith('/status'))),
    );

    expect(giving.map(({ metadata }) => metadata.name)).toEqual(['keyferry', 'keyferry-embedded']);
  });

  it('show reveals to those only who make them', () => {
    const reading = roles.filter(({ rules }) => rules.some(({ resources }) => resources.includes('secretreveals')));

    expect(reading.map(({ metadata }) => metadata.name)).toEqual([
      'keyferry-embedded',
      'keyferry-embedded',
      'keyferry-revealer',
      'keyferry-admin',
    ]);
  });

  it('give the operator what is in the cluster in a file of its own, which works without', () => {
    const others = [...files].filter(([path]) => /^rbac\/(operator|rollouts)/.test(path));

    expect(others.map(([, content]) => content).join('\n')).not.toMatch(
      /versionedsecrets|secretversions|secretreveals|secrettypes|subjectaccessreviews/,
    );
  });

  it('show everybody what a value is sealed to, and no more', () => {
    const discovery = roles.find(({ metadata }) => metadata.name === 'keyferry-discovery');

    expect(discovery?.rules).toEqual([
      { apiGroups: ['keyferry.io'], resources: ['clustersecretmanagers'], verbs: ['get'], resourceNames: ['default'] },
      { apiGroups: ['keyferry.io'], resources: ['secrettypes'], verbs: ['get', 'list'] },
    ]);
  });

  it('give the operator workloads in a file of their own, to patch them and no more', () => {
    const content = files.get('rbac/rollouts.yaml') ?? '';
    const granted = rulesIn(content).map(({ apiGroups, resources, verbs }) =>
      [apiGroups, resources, verbs].map(String),
    );

    expect(granted).toEqual([
      ['apps', 'deployments,statefulsets,daemonsets', 'get,list,watch,patch'],
      ['batch', 'cronjobs', 'get,list,watch,patch'],
      ['argoproj.io', 'rollouts', 'get,list,watch,patch'],
      ['batch', 'jobs', 'get,list,watch'],
      ['', 'pods', 'get,list,watch'],
    ]);
    expect(files.get('rbac/operator.yaml')).not.toMatch(/deployments|pods/);
  });

  it('give the deletion of pods in a file of its own, which nothing else needs', () => {
    const giving = [...files]
      .filter(([path]) => path.startsWith('rbac/'))
      .filter(([, content]) =>
        rulesIn(content).some(({ resources, verbs }) => resources.includes('pods') && verbs.includes('delete')),
      );

    expect(giving.map(([path]) => path)).toEqual(['rbac/rollouts-unstick.yaml']);
    expect(giving.map(([, content]) => rulesIn(content))).toEqual([
      [{ apiGroups: [''], resources: ['pods'], verbs: ['delete'] }],
    ]);
  });

  it('security rule 1: give `use` in one role only, of one manager', () => {
    const using = roles.filter(({ rules }) => rules.some(({ verbs }) => verbs.includes('use')));

    expect(
      using.map(({ metadata, rules }) => ({ name: metadata.name, names: rules.map((rule) => rule.resourceNames) })),
    ).toEqual([{ name: 'keyferry-use-default-manager', names: [['default']] }]);
  });
});
