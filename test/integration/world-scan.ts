import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { sealingKeysSecret } from '../../src/api/v1/names.ts';
import { canaryFinder, type Writing } from '../operator/canaries.ts';
import { etcdHistory } from '../operator/etcd-history.ts';
import { operatorIdentity } from '../operator/install.ts';
import type { World } from './world.ts';

/** The last test of every file with a world that plants values: none of them is anywhere but in the `data` of a Secret. */
export function itLeaksNothing(world: () => World): void {
  it('S9: none of the planted values stands anywhere but in the data of Secrets', async () => {
    expect(world().canaries()).not.toEqual([]);
    await expect(scanOnce(world())).resolves.toBeUndefined();
  });
}

const scans = new WeakMap<World, Promise<void>>();

function scanOnce(world: World): Promise<void> {
  const scan = scans.get(world) ?? scanForCanaries(world);
  scans.set(world, scan);
  return scan;
}

/** The end of every world: what an operator wrote in it is looked through, whatever the tests of the file look for. */
export async function scanThenStop(world: World, stop: () => Promise<void>): Promise<void> {
  try {
    const hadOperator = (await world.logs()) !== '';
    if (hadOperator) await scanOnce(world);
  } finally {
    await stop();
  }
}

/** Looks through everything that was ever written for the canaries and the sealing keys. Fails where it finds one, or where it finds nothing to look through. */
export async function scanForCanaries(world: World, canaries: readonly string[] = world.canaries()): Promise<void> {
  const find = canaryFinder([...canaries, ...(await sealingKeys(world))]);
  const finds = (await everythingWritten(world)).flatMap(find);
  let stored = 0;
  for await (const { key, value } of etcdHistory(world.cluster.etcdUrl)) {
    // Native Secrets are where values belong, in plain text.
    if (key.startsWith('/registry/secrets/')) continue;
    stored += 1;
    finds.push(...find({ where: `etcd: ${key}`, text: value }));
  }
  if (stored === 0) throw new Error('nothing is stored in etcd: the scan would find nothing');
  if (finds.length > 0) throw new Error(`values leaked:\n${[...new Set(finds)].join('\n')}`);
}

const keysSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** What is random in the private halves: they stand in their Secret and nowhere else. */
async function sealingKeys({ api }: World): Promise<readonly string[]> {
  const found = await api.find('Secret', { namespace: operatorIdentity.namespace, name: sealingKeysSecret });
  const texts = Object.values(keysSchema.parse(found ?? {}).data).map((text) => Buffer.from(text, 'base64').toString());
  return texts.flatMap((text) => /AGE-SECRET-KEY-1(?<key>[A-Z0-9]{58})/.exec(text)?.groups?.['key'] ?? []);
}

/** Without these, nothing was looked at. */
const mustBeThere = [
  "the operator's log",
  'the audit log',
  '/api/v1/secrets',
  '/apis/events.k8s.io/v1/events',
  '/apis/keyferry.io/v1/secretreferences',
  '/apis/keyferry.io/v1/secretreveals',
  '/apis/keyferry.io/v1/secrettypes',
  '/apis/keyferry.io/v1/secretversions',
  '/apis/keyferry.io/v1/versionedsecrets',
];

async function everythingWritten(world: World): Promise<readonly Writing[]> {
  const objects = await allObjects(world);
  const operator = world.operator();
  const metrics = operator.ended() === undefined ? [{ where: 'the metrics', text: await operator.metrics() }] : [];
  const log = { where: "the operator's log", text: await world.logs() };
  const audit = { where: 'the audit log', text: await readFile(world.cluster.auditLog, 'utf8') };
  const writings = [log, audit, ...metrics, ...objects];
  for (const where of mustBeThere) {
    const found = writings.find((writing) => writing.where === where);
    if (found === undefined || found.text === '') throw new Error(`${where} is empty: the scan would find nothing`);
  }
  return writings;
}

const resourcesSchema = z.object({
  groupVersion: z.string(),
  resources: z.array(z.object({ name: z.string(), verbs: z.array(z.string()) })),
});
const groupsSchema = z.object({
  groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })),
});

/** Every list that the API server has, as it gives it; of Secrets everything but their data. */
async function allObjects({ api }: World): Promise<readonly Writing[]> {
  const { groups } = groupsSchema.parse(JSON.parse(await api.raw('GET', '/apis')));
  const bases = ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const writings: Writing[] = [];
  for (const base of bases) {
    const { resources } = resourcesSchema.parse(JSON.parse(await api.raw('GET', base)));
    const listed = resources.filter(({ name, verbs }) => verbs.includes('list') && !name.includes('/'));
    for (const { name } of listed) {
      const where = `${base}/${name}`;
      const text = await api.raw('GET', where);
      writings.push({ where, text: where === '/api/v1/secrets' ? withoutData(text) : text });
    }
  }
  return writings;
}

function withoutData(secrets: string): string {
  const { items } = z.object({ items: z.array(z.record(z.string(), z.unknown())) }).parse(JSON.parse(secrets));
  return JSON.stringify(items.map(({ data: _data, ...rest }) => rest));
}
