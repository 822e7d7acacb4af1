import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { rolledKinds } from '../../src/api/v1/rollout.ts';
import { rolledResources } from '../../src/api/v1/workload-resources.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { kubectlIn, refusal } from './api-objects.ts';
import { applyRolloutCrd } from './argo.ts';
import { accepted, applyRoles, operator, refusedWith } from './policies-support.ts';

type Kind = (typeof rolledKinds)[number];

const cluster = inject('cluster');
const namespace = `policies-${randomUUID().slice(0, 8)}`;
const admin = kubectlIn(cluster, namespace);
/** With every right in the namespace: what it is refused, it is refused by the policies. */
const asOperator = kubectlIn(cluster, namespace, operator);

const markers = { 'keyferry.io/content.api-db': '1.aaaa', 'keyferry.io/content.other': '1.bbbb' };
const image = 'registry.example/app:1';
const labels = { app: 'api' };
const template = {
  metadata: { labels, annotations: { ...markers, 'example.com/note': 'x' } },
  spec: { containers: [{ name: 'app', image }], restartPolicy: 'Always' },
};
const jobPod = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };

const specs: Readonly<Record<Kind, object>> = {
  Deployment: { replicas: 0, selector: { matchLabels: labels }, template },
  StatefulSet: { replicas: 0, serviceName: 'api', selector: { matchLabels: labels }, template },
  DaemonSet: { selector: { matchLabels: labels }, template },
  Rollout: { replicas: 0, selector: { matchLabels: labels }, template },
  CronJob: { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: { template: jobPod } } },
};

function resourceOf(kind: Kind): string {
  const { group, plural } = rolledResources[kind];
  return `${plural}.${group}`;
}

function workload(kind: Kind, spec: object, name = 'api'): object {
  const version = kind === 'Rollout' ? 'v1alpha1' : 'v1';
  return { apiVersion: `${rolledResources[kind].group}/${version}`, kind, metadata: { name, namespace }, spec };
}

/** A part of the spec that is about the pod template. */
function inTemplate(kind: Kind, part: object): object {
  return kind === 'CronJob' ? { jobTemplate: { spec: { template: part } } } : { template: part };
}

const pathOf = (kind: Kind): string => (kind === 'CronJob' ? 'spec.jobTemplate.spec.template' : 'spec.template');

type As = typeof admin;

function patch(as: As, kind: Kind, body: object, subresource?: 'scale' | 'status'): Promise<string | undefined> {
  const args = ['patch', resourceOf(kind), 'api', '--type=merge', '--dry-run=server', '-p', JSON.stringify(body)];
  return refusal(as(subresource === undefined ? args : [...args, `--subresource=${subresource}`]));
}

/** As the operator does it: all of its annotations, by force. */
function apply(kind: Kind, annotations: object, name = 'api'): Promise<string | undefined> {
  const object = workload(kind, inTemplate(kind, { metadata: { annotations } }), name);
  const how = ['--server-side', '--force-conflicts', '--field-manager=keyferry-rollout', '--validate=false'];
  return refusal(asOperator(['apply', ...how, '-f', '-'], object));
}

async function annotationsOf(kind: Kind): Promise<unknown> {
  const path = `jsonpath={.${pathOf(kind)}.metadata.annotations}`;
  return JSON.parse(await admin(['get', resourceOf(kind), 'api', '-o', path]));
}

beforeAll(async () => {
  await applyRoles(cluster);
  await applyRolloutCrd(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await admin(['create', 'rolebinding', 'all', '--clusterrole=cluster-admin', `--user=${operator}`]);
  for (const kind of rolledKinds) await accepted(() => admin(['create', '-f', '-'], workload(kind, specs[kind])));
  await refusedWith(() => asOperator(['delete', 'deploy', 'api', '--dry-run=server']), 'neither create nor delete');
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

const template0 = (kind: Kind, part: object): object => ({ spec: inTemplate(kind, part) });
const containers = (kind: Kind, container: object): object =>
  template0(kind, { spec: { containers: [{ name: 'app', image, ...container }] } });
const more = (place: string) => (kind: Kind) =>
  `the operator may set only annotations keyferry.io/content.* in the pod template, and would change more of ${rolledResources[kind].plural} api: ${place.replace('TEMPLATE', pathOf(kind))}`;

type Change = readonly [what: string, body: (kind: Kind) => object, says: (kind: Kind) => string];

const changes: readonly Change[] = [
  ['an image', (kind) => containers(kind, { image: 'evil.example/app' }), more('TEMPLATE.spec')],
  ['an environment', (kind) => containers(kind, { env: [{ name: 'A', value: 'b' }] }), more('TEMPLATE.spec')],
  ['a command', (kind) => containers(kind, { command: ['sh'] }), more('TEMPLATE.spec')],
  [
    'a service account',
    (kind) => template0(kind, { spec: { serviceAccountName: 'admin', serviceAccount: 'admin' } }),
    more('TEMPLATE.spec'),
  ],
  [
    'a label of the template',
    (kind) => template0(kind, { metadata: { labels: { team: 'x' } } }),
    more('TEMPLATE.metadata.labels'),
  ],
  [
    'a new foreign annotation of the template',
    (kind) => template0(kind, { metadata: { annotations: { 'sidecar.istio.io/inject': 'true' } } }),
    more('TEMPLATE.metadata.annotations.sidecar.istio.io/inject'),
  ],
  [
    'another annotation of keyferry.io in the template',
    (kind) => template0(kind, { metadata: { annotations: { 'keyferry.io/content': 'x' } } }),
    more('TEMPLATE.metadata.annotations.keyferry.io/content'),
  ],
  [
    'a foreign annotation of the template that is there',
    (kind) => template0(kind, { metadata: { annotations: { 'example.com/note': 'y' } } }),
    more('TEMPLATE.metadata.annotations.example.com/note'),
  ],
  [
    'by removal a foreign annotation of the template',
    (kind) => template0(kind, { metadata: { annotations: { 'example.com/note': null } } }),
    more('TEMPLATE.metadata.annotations.example.com/note'),
  ],
  [
    'a marker and a foreign annotation at once',
    (kind) =>
      template0(kind, { metadata: { annotations: { 'keyferry.io/content.api-db': '1.c', 'example.com/new': 'y' } } }),
    more('TEMPLATE.metadata.annotations.example.com/new'),
  ],
  ['a label of the workload', () => ({ metadata: { labels: { team: 'x' } } }), more('metadata.labels')],
  [
    'an annotation of the workload',
    () => ({ metadata: { annotations: { 'keyferry.io/rollout': 'true' } } }),
    more('metadata.annotations.keyferry.io/rollout'),
  ],
  ['finalizers of the workload', () => ({ metadata: { finalizers: ['example.com/x'] } }), more('metadata.finalizers')],
];

/** What only some kinds have. */
const ofSomeKinds: readonly (readonly [kind: Kind, what: string, body: object, says: string])[] = [
  ['Deployment', 'replicas', { spec: { replicas: 1 } }, 'spec.replicas'],
  ['StatefulSet', 'replicas', { spec: { replicas: 1 } }, 'spec.replicas'],
  ['Rollout', 'replicas', { spec: { replicas: 1 } }, 'spec.replicas'],
  ['Deployment', 'a pause', { spec: { paused: true } }, 'spec.paused'],
  ['DaemonSet', 'a strategy', { spec: { updateStrategy: { type: 'OnDelete' } } }, 'spec.updateStrategy'],
  ['CronJob', 'a schedule', { spec: { schedule: '* * * * *' } }, 'spec.schedule'],
  ['CronJob', 'a label of its Jobs', { spec: { jobTemplate: { metadata: { labels } } } }, 'spec.jobTemplate.metadata'],
  ['CronJob', 'how often its Jobs try', { spec: { jobTemplate: { spec: { backoffLimit: 1 } } } }, 'backoffLimit'],
];

const kinds = rolledKinds.map((kind): [Kind] => [kind]);

describe.each(kinds)('in a %s the operator', (kind) => {
  test('may set a marker, as it does it: by server-side apply, by force', async () => {
    const wanted = { ...markers, 'keyferry.io/content.api-db': '1.cccc', 'keyferry.io/content.third': '1.dddd' };

    expect(await apply(kind, wanted)).toBeUndefined();

    expect(await annotationsOf(kind)).toMatchObject({ ...wanted, 'example.com/note': 'x' });
  });

  test('may set a marker by merge patch', async () => {
    const annotations = { 'keyferry.io/content.api-db': '1.eeee', 'keyferry.io/content.fourth': '1.ffff' };

    expect(await patch(asOperator, kind, template0(kind, { metadata: { annotations } }))).toBeUndefined();
  });

  test.each(changes)('may not change %s, and an administrator may', async (_what, body, says) => {
    expect(await patch(asOperator, kind, body(kind))).toContain(says(kind));
    expect(await patch(admin, kind, body(kind))).toBeUndefined();
  });

  test('may not remove a marker, and an administrator may', async () => {
    const body = template0(kind, { metadata: { annotations: { 'keyferry.io/content.other': null } } });
    const says = `the operator may not remove annotations keyferry.io/content.* in the pod template, and would from ${rolledResources[kind].plural} api: keyferry.io/content.other`;

    expect(await patch(asOperator, kind, body)).toContain(says);
    expect(await patch(asOperator, kind, template0(kind, { metadata: { annotations: null } }))).toContain(
      'may set only',
    );
    expect(await patch(admin, kind, body)).toBeUndefined();
  });

  test('may not remove a marker by an apply that leaves it out', async () => {
    await apply(kind, { ...markers, 'keyferry.io/content.third': '1.dddd' });

    expect(await apply(kind, markers)).toContain('may not remove annotations keyferry.io/content.*');
  });

  test('may not create or delete one, nor write its status, and an administrator may', async () => {
    const says = `the operator may neither create nor delete ${rolledResources[kind].plural}, nor use their subresources (status, scale)`;
    const time = { lastScheduleTime: '2026-01-01T00:00:00Z' };
    const body = { status: kind === 'CronJob' ? time : { observedGeneration: 7 } };

    for (const [as, answer] of [
      [asOperator, expect.stringContaining(says)],
      [admin, undefined],
    ] as const) {
      const create = ['create', '--dry-run=server', '-f', '-'];
      expect(await refusal(as(create, workload(kind, specs[kind], 'new')))).toEqual(answer);
      expect(await refusal(as(['delete', resourceOf(kind), 'api', '--dry-run=server']))).toEqual(answer);
      expect(await patch(as, kind, body, 'status')).toEqual(answer);
    }
  });
});

describe('the operator may not', () => {
  test.each(ofSomeKinds)('change of a %s %s, and an administrator may', async (kind, _what, body, says) => {
    const message = await patch(asOperator, kind, body);

    expect(message).toContain('may set only annotations keyferry.io/content.* in the pod template');
    expect(message).toContain(says);
    expect(await patch(admin, kind, body)).toBeUndefined();
  });

  test.each([['Deployment'], ['StatefulSet'], ['Rollout']] as const)(
    'scale a %s, and an administrator may',
    async (kind) => {
      const body = { spec: { replicas: 1 } };

      expect(await patch(asOperator, kind, body, 'scale')).toContain('nor use their subresources (status, scale)');
      expect(await patch(admin, kind, body, 'scale')).toBeUndefined();
    },
  );

  test('create one by an apply to what is gone', async () => {
    // The other kinds are invalid with so little.
    expect(await apply('Rollout', markers, 'gone')).toContain('may neither create nor delete rollouts');
  });

  test('give a template to a Rollout that takes it from elsewhere', async () => {
    const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' };
    await admin(['create', '-f', '-'], workload('Rollout', { replicas: 0, workloadRef }, 'elsewhere'));

    expect(await apply('Rollout', markers, 'elsewhere')).toContain(
      'would change more of rollouts elsewhere: spec.template',
    );
  });
});

describe('the budget of the API server', () => {
  test('is enough for the largest template', async () => {
    const many = <T>(count: number, make: (index: number) => T): T[] =>
      Array.from({ length: count }, (_, n) => make(n));
    const env = many(50, (n) => ({ name: `NAME_${n}`, value: 'x'.repeat(50) }));
    const annotations = Object.fromEntries(many(1000, (n) => [`example.com/${'a'.repeat(40)}-${n}`, 'x'.repeat(100)]));
    const large = {
      metadata: { labels, annotations },
      spec: { containers: many(60, (n) => ({ name: `app-${n}`, image, env })) },
    };
    const object = workload('Deployment', { ...specs.Deployment, template: large }, 'large');
    await admin(['create', '-f', '-'], object);

    expect(await apply('Deployment', markers, 'large')).toBeUndefined();
    expect(await refusal(asOperator(['scale', 'deployment', 'large', '--replicas=3', '--dry-run=server']))).toContain(
      'nor use their subresources',
    );
  });
});
