import { z } from 'zod';
import type { History, Violation } from '../history.ts';

/** S8: what is read or written lies in the namespace, or was granted by a rule. */
export function tenancy(history: History): readonly Violation[] {
  return [...strayRequests(history), ...ungranted(history)].map((what) => ({ law: 'S8', what }));
}

function strayRequests(history: History): readonly string[] {
  const places = new Set([history.namespace, ...history.ownNamespaces]);
  // Cluster-scoped: managers, types, the namespace that gives the cluster its identity, and questions about who may put and who asks.
  const open = new Set([
    'clustersecretmanagers',
    'namespaces',
    'secrettypes',
    'subjectaccessreviews',
    'selfsubjectreviews',
  ]);
  return history.requests
    .filter(({ namespace, resource }) => (namespace === '' ? !open.has(resource) : !places.has(namespace)))
    .map(({ verb, resource, namespace, name }) => `${verb} ${resource} ${namespace}/${name} is outside`);
}

const managerSchema = z.object({
  spec: z.object({
    access: z
      .array(
        z.object({ namespaces: z.object({ names: z.array(z.string()).default([]) }), secrets: z.array(z.string()) }),
      )
      .default([]),
  }),
});

/** Every secret that the backend is asked for was granted at some time. */
function ungranted(history: History): readonly string[] {
  const managers = history.objects.filter(
    ({ kind, name }) => kind === 'ClusterSecretManager' && name === history.manager,
  );
  const rules = managers.flatMap(({ object }) => managerSchema.parse(object).spec.access);
  const granted = rules.filter(({ namespaces }) => namespaces.names.some((name) => matches(name, history.namespace)));
  const patterns = granted.flatMap(({ secrets }) =>
    secrets.map((pattern) => pattern.replaceAll('{namespace}', history.namespace)),
  );
  const asked = new Set(history.calls.flatMap(({ secrets }) => secrets));
  return [...asked]
    .filter((secret) => !patterns.some((pattern) => matches(pattern, secret)))
    .map((secret) => `the backend was asked for ${secret}, which no rule grants`);
}

/** Globs by segment: `*` stops at `/`, `**` does not. Both ends are anchored. */
function matches(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  const form = escaped.replaceAll('**', '\0').replaceAll('*', '[^/]*').replaceAll('\0', '.*');
  return new RegExp(`^${form}$`).test(text);
}
