import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { findCanaries, type Writing } from '../operator/canaries.ts';
import type { World } from './world.ts';

/** The last test of every file with a world: none of the values that the file planted is anywhere but in the `data` of a Secret. */
export function itLeaksNothing(world: () => World): void {
  it('S9: none of the planted values stands anywhere but in the data of Secrets', async () => {
    await expect(scanForCanaries(world())).resolves.toBeUndefined();
  });
}

/** Looks through everything that was ever written for the canaries. Fails where it finds one, or where it finds nothing to look through. */
export async function scanForCanaries(world: World, canaries: readonly string[] = world.canaries()): Promise<void> {
  if (canaries.length === 0) throw new Error('no canary was planted: the scan would find nothing');
  const finds = findCanaries(canaries, await everythingWritten(world));
  if (finds.length > 0) throw new Error(`values leaked:\n${finds.join('\n')}`);
}

/** Without these, nothing was looked at. */
const mustBeThere = [
  "the operator's log",
  'the audit log',
  '/api/v1/secrets',
  '/apis/events.k8s.io/v1/events',
  '/apis/keyferry.io/v1/secretreferences',
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
