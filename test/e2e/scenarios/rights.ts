import { expect, test } from 'vitest';
import { operatorRights } from '../../chart/operator-rights.ts';
import { release } from '../release.ts';
import type { World } from '../world.ts';

/** What the operator's service account may do, as the API server itself tells it. */
export function rights(world: World): void {
  test("the operator's service account may do what the chart's golden list says, and nothing else", async () => {
    const everybody = await rightsOf(world, `system:serviceaccount:${release.namespace}:default`);
    const operator = await rightsOf(world, `system:serviceaccount:${release.namespace}:keyferry`);
    const own = [...operator].filter(([resource, verbs]) => everybody.get(resource)?.join() !== verbs.join());

    expect(new Map(own)).toEqual(golden());
  });
}

type Rights = ReadonlyMap<string, readonly string[]>;

/** By resource, over all rules: verbs in order. */
async function rightsOf(world: World, account: string): Promise<Rights> {
  const table = await world.kubectl(
    'auth',
    'can-i',
    '--list',
    '-n',
    release.namespace,
    `--as=${account}`,
    '--no-headers',
  );
  // secrets   []   [name]   [get list]: rules for paths that are no resources begin with a space.
  const rows = table.split('\n').flatMap((line) => {
    const [, resource, verbs] = /^(\S+) .*\[([^\]]*)\]\s*$/.exec(line) ?? [];
    return resource === undefined || verbs === undefined ? [] : ([[resource, verbs.split(' ')]] as const);
  });
  return merged(rows);
}

/** In the namespace of the operator both count: what it may do there and what it may do everywhere. */
function golden(): Rights {
  const rows = operatorRights.map((right) => {
    const [, group = '', resource = '', subresource = '', verbs = ''] =
      /^\S+: ([^/]*)\/([^/:]+)(\/[^:]+)?: (.*)$/.exec(right) ?? [];
    const name = group === '' ? resource : `${resource}.${group}`;
    return [`${name}${subresource}`, verbs.split(',')] as const;
  });
  return merged(rows);
}

function merged(rows: readonly (readonly [resource: string, verbs: readonly string[]])[]): Rights {
  const all = new Map<string, Set<string>>();
  for (const [resource, verbs] of rows) {
    all.set(resource, new Set([...(all.get(resource) ?? []), ...verbs]));
  }
  return new Map([...all].map(([resource, verbs]) => [resource, [...verbs].toSorted()]));
}
