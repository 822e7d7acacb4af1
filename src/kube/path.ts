import type { ObjectName } from './client.ts';
import { type CallSubject, KubeError } from './errors.ts';
import { type Resource, secrets } from './resource.ts';

/** Names a call for messages and marks what may not be quoted. */
export function subjectOf(verb: string, resource: Resource, object?: Partial<ObjectName>): CallSubject {
  return {
    verb,
    resource: resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`,
    object: [object?.namespace ?? '', object?.name ?? ''].filter((part) => part !== '').join('/'),
    sensitive: resource.group === secrets.group && resource.plural === secrets.plural,
  };
}

/** `/api/v1/namespaces/shop/secrets`; an empty namespace means all of them, or that the resource has none. */
export function collectionPath(resource: Resource, namespace: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (!resource.namespaced || namespace === '') {
    return `${root}/${resource.plural}`;
  }
  checkSegment('use', resource, { namespace, name: namespace });
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`;
}

/**
 * The path of one object.
 *
 * @throws KubeError `InvalidRequest` for a name that would lead to another path: with an empty one a delete would empty the namespace.
 */
export function objectPath(verb: string, resource: Resource, object: ObjectName, subresource?: string): string {
  checkSegment(verb, resource, object);
  if (resource.namespaced && object.namespace === '') {
    throw invalidRequest(verb, resource, object, 'the namespace is missing');
  }
  const path = `${collectionPath(resource, object.namespace)}/${encodeURIComponent(object.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `?a=b`, without the parameters that are undefined or empty. */
export function queryString(parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') {
      query.set(name, value);
    }
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

function checkSegment(verb: string, resource: Resource, object: ObjectName): void {
  if (object.name === '' || object.name === '.' || object.name === '..' || /[/%]/.test(object.name)) {
    throw invalidRequest(verb, resource, object, 'the name is missing or not a possible one');
  }
}

function invalidRequest(verb: string, resource: Resource, object: ObjectName, detail: string): KubeError {
  return new KubeError({ subject: subjectOf(verb, resource, object), status: 0, reason: 'InvalidRequest', detail });
}
