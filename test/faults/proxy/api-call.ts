import { z } from 'zod';
import type { Json } from '../history.ts';

/** A request to the API server, as far as its path, its body and its type tell. */
export interface ApiCall {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'apply' | 'patch' | 'delete' | 'other';
  readonly resource: string;
  readonly subresource: string;
  /** Empty where it stands in none. */
  readonly namespace: string;
  readonly name: string;
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly body: Json | undefined;
}

const jsonSchema = z.record(z.string(), z.unknown());
const namedSchema = z.object({ metadata: z.object({ name: z.string() }) });
const eventSchema = z.object({ reason: z.string(), regarding: z.object({ kind: z.string(), name: z.string() }) });

export function describeApiCall(method: string, url: string, contentType: string, text: string): ApiCall {
  const { pathname, searchParams } = new URL(url, 'https://localhost');
  const place = placeOf(pathname);
  const body = text === '' ? undefined : jsonSchema.parse(JSON.parse(text));
  return {
    ...place,
    verb: verbOf(method, place.name, searchParams.get('watch') ?? '', contentType),
    name: place.name === '' ? nameIn(place.resource, body) : place.name,
    fieldManager: searchParams.get('fieldManager') ?? '',
    dryRun: searchParams.has('dryRun'),
    body,
  };
}

/** What plans call it. Events have names that nobody can foresee: what they tell of names them. */
export function labelOf({ verb, resource, subresource, name, dryRun }: ApiCall): string {
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const which = resource === 'events' && verb !== 'create' ? 'series' : name;
  return [verb, what, which, dryRun ? 'dry-run' : ''].filter((part) => part !== '').join(' ');
}

function placeOf(pathname: string): Pick<ApiCall, 'resource' | 'subresource' | 'namespace' | 'name'> {
  const parts = pathname.split('/').filter((part) => part !== '');
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3).map(decodeURIComponent);
  if (rest[0] === 'namespaces' && rest.length > 2) {
    const [, namespace = '', resource = '', name = '', subresource = ''] = rest;
    return { namespace, resource, name, subresource };
  }
  const [resource = '', name = '', subresource = ''] = rest;
  return { namespace: '', resource, name, subresource };
}

function verbOf(method: string, name: string, watch: string, contentType: string): ApiCall['verb'] {
  if (method === 'GET') return watch === 'true' || watch === '1' ? 'watch' : name === '' ? 'list' : 'get';
  if (method === 'POST') return 'create';
  if (method === 'DELETE') return 'delete';
  if (method !== 'PATCH') return 'other';
  return contentType.startsWith('application/apply-patch') ? 'apply' : 'patch';
}

function nameIn(resource: string, body: Json | undefined): string {
  if (resource === 'events') {
    const event = eventSchema.safeParse(body);
    return event.success ? `${event.data.regarding.kind}/${event.data.regarding.name}:${event.data.reason}` : '';
  }
  return namedSchema.safeParse(body).data?.metadata.name ?? '';
}
