import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { inject } from 'vitest';
import type { Condition } from '../../src/api/v1/conditions.ts';
import { type AwsServer, forwardTo, startAwsServer } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import type { World } from './world.ts';

/** A manager over a backend of its own: counts calls, answers as a test says, and can be cut off. */
export interface Tap {
  readonly manager: string;
  readonly server: AwsServer;
  readonly wire: TcpProxy;
  heal(): void;
}

export interface Taps {
  open(world: World, options?: { readonly pollInterval?: string }): Promise<Tap>;
  close(): Promise<void>;
}

export function createTaps(): Taps {
  const opened: Tap[] = [];
  return {
    open: async (world, { pollInterval = '1s' } = {}) => {
      const server = await startAwsServer(forwardTo(inject('moto').url));
      const wire = await startTcpProxy({ port: Number(new URL(server.url).port) });
      const manager = unique('tap');
      const tap = { manager, server, wire, heal: () => server.handle(forwardTo(inject('moto').url)) };
      opened.push(tap);
      await world.manager({ name: manager, pollInterval, aws: { endpoint: `http://127.0.0.1:${wire.port}` } });
      return tap;
    },
    close: async () => {
      await Promise.all(opened.map(async ({ server, wire }) => Promise.all([wire.close(), server.close()])));
    },
  };
}

export function unique(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

export function refTo(manager: string): { readonly kind: 'ClusterSecretManager'; readonly name: string } {
  return { kind: 'ClusterSecretManager', name: manager };
}

/** A new value under a name; the value is a canary. */
export async function putCanary(world: World, secret: string): Promise<string> {
  const value = world.canary();
  await world.aws.put(secret, value);
  return value;
}

export async function conditionOf(
  world: World,
  namespace: string,
  name: string,
  type: 'Ready' | 'Stale',
): Promise<Condition> {
  const status = await world.status(namespace, name);
  const condition = status.conditions?.find((each) => each.type === type);
  if (condition === undefined) throw new Error(`${namespace}/${name} has no condition ${type} yet`);
  return condition;
}

/** Waits until Stale is so. */
export function untilStale(
  world: World,
  namespace: string,
  name: string,
  status: 'True' | 'False',
  deadline = 60_000,
): Promise<Condition> {
  return eventually(
    `Stale of ${namespace}/${name} is ${status}`,
    async () => {
      const condition = await conditionOf(world, namespace, name, 'Stale');
      if (condition.status !== status) throw new Error(JSON.stringify(condition));
      return condition;
    },
    { deadline },
  );
}

/** Waits until a Secret holds exactly this. */
export async function untilHolds(
  world: World,
  namespace: string,
  name: string,
  wanted: Readonly<Record<string, string>>,
  deadline = 60_000,
): Promise<void> {
  await eventually(
    `Secret ${namespace}/${name} holds what it should`,
    async () => {
      const data = await world.secretData(namespace, name);
      if (!isDeepStrictEqual(data, wanted)) {
        throw new Error(`it holds ${JSON.stringify(data)} and should hold ${JSON.stringify(wanted)}`);
      }
    },
    { deadline },
  );
}

export async function untilCalls(server: AwsServer, count: number, deadline = 60_000): Promise<void> {
  await eventually(
    `${count} calls arrived`,
    () => {
      if (server.calls.length < count) throw new Error(`it was called ${server.calls.length} times`);
    },
    { deadline },
  );
}

/** Which version of an object is stored: every write of it makes another. */
export async function versionOf(world: World, kind: string, namespace: string, name: string): Promise<string> {
  const { metadata } = await world.api.get(kind, { namespace, name });
  return `${metadata.uid}/${metadata.resourceVersion}`;
}
