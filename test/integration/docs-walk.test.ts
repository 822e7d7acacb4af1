import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RolledOutReason, readyReasons } from '../../src/api/v1/conditions.ts';
import { startWorld, type World } from '../demo/world.ts';
import { brokenReferences } from '../docs/broken-references.ts';
import { codeIn, isManifest, readPage, readPages, tableUnder } from '../docs/pages.ts';
import { isStep, openShell, type Shell, walk } from '../docs/walk.ts';
import { eventually } from '../operator/eventually.ts';

const troubleshooting = readPage('docs/troubleshooting.md');
const messages = Array.from(troubleshooting.text.matchAll(/^ {4}(\S.*)$/gm), ([, message]) => message);
let world: World;
let shell: Shell;

/** The secrets that the pages speak of. */
const json = JSON.stringify;
const secrets: readonly (readonly [name: string, value: string, version?: string])[] = [
  ['shop/db.password', 'red-panda', '11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa'],
  ['shop/db.password', 'blue/whale', '22222222-bbbb-4bbb-8bbb-bbbbbbbbbbbb'],
  ['shop/db.account', json({ user: { name: 'shop@eu' }, host: 'db.internal', ca: 'Y2VydGlmaWNhdGU=' })],
  ['shop/orders.password', 'brown-bear', '11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa'],
  ['shop/config', json({ mode: 'fast', retries: 3 })],
  ['shop/feature-new.cart', 'on'],
  ['shop/signing.key', 'one'],
  ['shop/signing.key', 'two'],
  ['shop/registry', json({ user: 'robot', token: 't' })],
  ['shop/plain', 'no JSON'],
  ['shop/big', 'x'.repeat(65_536)],
  ['stripe.key', 'sk'],
];

beforeAll(async () => {
  world = await startWorld('shop', () => undefined, ['--rollout-min-interval=1s']);
  shell = await openShell(world);
  for (const [name, value, version = ''] of secrets) {
    await shell.run(`node test/demo/put.ts "$(cat)" "$VALUE" ${version}`.replace('"$VALUE"', `'${value}'`), name);
  }
  const aws = new SecretsManagerClient({
    region: 'eu-west-1',
    endpoint: world.env['AWS_ENDPOINT_URL'] ?? '',
    credentials: { accessKeyId: 'demo', secretAccessKey: 'demo' },
  });
  await aws.send(new CreateSecretCommand({ Name: 'shop/empty' }));
  await aws.send(new CreateSecretCommand({ Name: 'shop/deleted', SecretString: 'x' }));
  await aws.send(new DeleteSecretCommand({ SecretId: 'shop/deleted' }));
});

afterAll(async () => {
  await shell.close();
  await world.stop();
});

/** Every page starts from the same: the manager of the examples, nothing else. */
beforeEach(async () => {
  await shell.run('kubectl delete sref,smgr,csmgr --all --all-namespaces; kubectl delete deploy,sts,secret --all');
  // What is in use is protected, and that it no longer is becomes known a little later.
  await eventually('no secret is left', () => shell.run('kubectl delete vsec,sver --all --all-namespaces'));
  await shell.run(
    'kubectl apply -f examples/manager.yaml && kubectl wait csmgr default --for=condition=Ready --timeout=30s',
  );
});

describe('what troubleshooting shows', () => {
  beforeEach(async () => {
    await shell.run(
      'kubectl apply -f examples/latest.yaml && kubectl wait sref api-db --for=condition=Ready --timeout=30s',
    );
    await shell.run('kubectl create secret generic foreign --from-literal=x=y');
  });

  it.each(brokenReferences)('of $reason is what a reference says', async ({ reason, manifest }) => {
    await shell.run('kubectl apply -f -', manifest);
    const ready = `kubectl get sref broken -o jsonpath='{range .status.conditions[?(@.type=="Ready")]}{.reason} {.message}{end}'`;
    const said = await eventually(reason, async () => {
      const text = await shell.run(ready);
      if (!text.startsWith(`${reason} `)) throw new Error(text);
      return text.slice(reason.length + 1);
    });
    expect(messages).toContain(said);
  });

  it('of a stale reference is what it says, while it stays ready', async () => {
    await shell.run(
      `kubectl patch csmgr default --type=merge -p '{"spec": {"aws": {"endpoint": "http://127.0.0.1:9"}}}'`,
    );
    await shell.run('kubectl wait sref api-db --for=condition=Stale --timeout=60s');
    expect(messages).toContain(await shell.run(`kubectl get sref api-db -o jsonpath='${messageOf('Stale')}'`));
    await shell.run('kubectl wait sref api-db --for=condition=Ready --timeout=1s');
  });

  it('of a manager without its Secret is what it says', async () => {
    const manager = shell.run('kubectl create -o yaml --dry-run=client -f examples/manager.yaml');
    const lonely = (await manager)
      .replace('name: default', 'name: lonely')
      .replace('aws:', 'aws:\n    auth: {secretRef: {name: aws-keys}}');
    await shell.run(
      'kubectl apply -f - && kubectl wait csmgr lonely --for=condition=Ready=False --timeout=30s',
      lonely,
    );
    expect(messages).toContain(await shell.run(`kubectl get csmgr lonely -o jsonpath='${messageOf('Ready')}'`));
  });

  it('leaves out no reason that can be brought about', () => {
    const left = readyReasons.filter((reason) => !brokenReferences.some((broken) => broken.reason === reason));
    expect(left).toEqual(['Throttled']);
  });
});

describe('what troubleshooting shows of RolledOut', () => {
  const guarded = readFileSync(join(import.meta.dirname, '..', '..', 'examples', 'guarded.yaml'), 'utf8');
  const put = (value: string, id = ''): Promise<string> =>
    shell.run(`node test/demo/put.ts shop/orders.password ${value} ${id}`);
  const rollout = (spec: object): Promise<string> =>
    shell.run(`kubectl patch sref orders-db --type=merge -p '${json({ spec: { rollout: spec } })}'`);
  /** What the reference says once it says it for this reason. */
  const says = async (reason: RolledOutReason): Promise<string> => {
    const ask = `kubectl get sref orders-db -o jsonpath='{range .status.conditions[?(@.type=="RolledOut")]}{.reason} {.message}{end}'`;
    const attempt = async (): Promise<string> => {
      const text = await shell.run(ask);
      if (!text.startsWith(`${reason} `)) throw new Error(text);
      return text.slice(reason.length + 1);
    };
    return eventually(reason, attempt, { deadline: 60_000, every: 200 });
  };

  it('is what a reference says whose workload rolls out, is paused, or fails', async () => {
    const said: string[] = [];
    const [reference = '', deployment = ''] = guarded.split('---\n');
    await shell.run('kubectl apply -f -', reference);
    await rollout({ onFailure: 'None', settle: '1s' });
    said.push(await says('NothingToRollOut'));
    await shell.run('kubectl apply -f - && kubectl rollout status deployment/orders --timeout=30s', deployment);
    said.push(await says('Complete'));
    await rollout({ settle: '5m' });
    await put('gray-wolf');
    said.push(await says('Waiting'));
    await shell.run('kubectl rollout pause deployment/orders');
    await rollout({ settle: '1s' });
    said.push(await says('Paused'));
    await shell.run('kubectl rollout resume deployment/orders');
    await shell.run('kubectl wait sref orders-db --for=condition=RolledOut --timeout=30s');
    await rollout({ progressDeadline: '1h' });
    await put('bad-password');
    said.push(await says('Progressing'));
    await rollout({ progressDeadline: '5s' });
    said.push(await says('Failed'));
    await put('brown-bear', '44444444-dddd-4ddd-8ddd-dddddddddddd');
    await shell.run('kubectl wait sref orders-db --for=condition=RolledOut --timeout=30s');
    await rollout({ onFailure: 'Revert' });
    await put('bad-password', '55555555-eeee-4eee-8eee-eeeeeeeeeeee');
    await says('Reverted');
    const back = `--for=jsonpath='{.status.versions[0].version}'=44444444-dddd-4ddd-8ddd-dddddddddddd`;
    await shell.run(`kubectl wait sref orders-db ${back} --timeout=30s`);
    said.push(await says('Reverted'));
    expect(said.filter((message) => !messages.includes(message))).toEqual([]);
  });

  it('is what a reference says whose StatefulSet is stuck', async () => {
    const page = readPage('docs/rollouts.md');
    const queue = page.blocks.find(({ text }) => text.includes('kind: StatefulSet\n'))?.text ?? '';
    const probed = queue
      .replace('image:', 'readinessProbe: {exec: {command: ["true"]}}\n          image:')
      .replace(
        /envFrom:[^]*$/,
        'env:\n            - {name: P, valueFrom: {secretKeyRef: {name: orders-db, key: password}}}\n',
      );
    const [reference = ''] = guarded.split('---\n');
    await put('brown-bear');
    await shell.run('kubectl apply -f -', reference);
    await rollout({ onFailure: 'None', progressDeadline: '1h' });
    await shell.run('kubectl apply -f - && kubectl rollout status statefulset/queue --timeout=30s', probed);
    await shell.run(`kubectl wait sref orders-db --for=jsonpath='{.status.consumers[0].name}'=queue --timeout=30s`);
    await put('bad-password');
    await shell.run(
      "kubectl wait pod queue-1 --for=jsonpath='{.status.containerStatuses[0].ready}'=false --timeout=30s",
    );
    await put('gray-wolf');
    expect(messages).toContain(await says('Failed'));
    await shell.run('kubectl delete pod queue-1');
    await shell.run('kubectl wait sref orders-db --for=condition=RolledOut --timeout=30s');
  });
});

it('the page on permissions shows what is said to who has no right to use a manager', async () => {
  const reference = readPage('docs/references.md').blocks.find(isManifest)?.text ?? '';
  const other = reference.replace('spec:\n', 'spec:\n  managerRef: {name: production}\n');
  await shell.run('kubectl create rolebinding ann --clusterrole=keyferry-edit --user=ann');
  const refusal = await shell.run('kubectl create --as=ann -f - 2>&1 || true', other);
  const said = refusal.slice(refusal.indexOf('ann may not'));
  expect(readPage('docs/permissions.md').text).toContain(`    ${said}`);
});

it('the page on permissions shows what is said to who lists a workload and may not patch it', async () => {
  const reference = readPage('docs/references.md').blocks.find(isManifest)?.text ?? '';
  const listing = reference.replace('spec:\n', 'spec:\n  rollout: {policy: Listed, workloads: [{name: api}]}\n');
  await shell.run('kubectl create rolebinding ann-writes --clusterrole=keyferry-edit --user=ann');
  await shell.run('kubectl create rolebinding ann-uses --clusterrole=keyferry-use-default-manager --user=ann');
  const said = await eventually('ann may use the manager', async () => {
    const refusal = await shell.run('kubectl create --as=ann --dry-run=server -f - 2>&1 || true', listing);
    if (!refusal.includes('ann may not patch')) throw new Error(refusal);
    return refusal.slice(refusal.indexOf('ann may not'));
  });
  expect(readPage('docs/permissions.md').text).toContain(`    ${said}`);
});

it('the page on operations lists every metric, and no other', async () => {
  const answer = await fetch(`${world.operatorUrl}/metrics`);
  const served = Array.from((await answer.text()).matchAll(/^# TYPE (\S+)/gm), ([, name = '']) => name);
  const listed = tableUnder(readPage('docs/operations.md'), 'Metrics').flatMap(([names = '']) => codeIn(names));
  expect(listed.toSorted()).toEqual(served.toSorted());
});

/** All but the page on installing, which starts from a cluster without anything: it is walked with the chart. */
const others = readPages()
  .filter(({ path, blocks }) => path !== 'docs/install.md' && blocks.some(isStep))
  .map(({ path }) => path);

const onSecretsOfTheCluster: ReadonlySet<string> = new Set([
  'docs/gitops.md',
  'docs/incident.md',
  'docs/operations.md',
]);

describe('what a page says can be done', () => {
  it.each(others)('in %s', async (path) => {
    const keys = 'create secret generic aws-keys --from-literal=access-key-id=a --from-literal=secret-access-key=b';
    if (path === 'docs/references.md') await shell.run(`kubectl ${keys} && kubectl apply -f -`, ownManager());
    if (path === 'docs/troubleshooting.md') await shell.run('kubectl apply -f examples/latest.yaml');
    if (onSecretsOfTheCluster.has(path)) {
      await shell.run('kubectl apply -f examples/embedded/manager.yaml');
      await shell.run('kubectl wait csmgr default --for=condition=Ready --timeout=30s');
    }
    if (path === 'docs/incident.md') {
      await shell.run('printf one | keyferry put db.password --create && printf two | keyferry put db.password');
    }
    expect(await walk(readPage(path), shell)).toBeGreaterThan(0);
  });
});

function messageOf(condition: string): string {
  return `{.status.conditions[?(@.type=="${condition}")].message}`;
}

/** The manager of the page on AWS that signs in with keys of its own. */
function ownManager(): string {
  return readPage('docs/aws.md').blocks.find(({ text }) => text.includes('kind: SecretManager\n'))?.text ?? '';
}
