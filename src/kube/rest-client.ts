import { z } from 'zod';
import type { CallOptions, KubeBody, KubeClient, ObjectName, WriteOptions } from './client.ts';
import { type CallSubject, isGone, isInvalid, isNotFound, KubeError } from './errors.ts';
import { objectMetaSchema, type RawObject, rawObjectSchema } from './object.ts';
import { partialObject } from './list-watch.ts';
import { collectionPath, objectPath, queryString, subjectOf } from './path.ts';
import { apiVersion, type Resource } from './resource.ts';
import type { Transport, TransportRequest } from './transport.ts';

const pageSize = 500;

/** What a dry run answers was not stored, so it has no resource version yet. */
const dryRunSchema = z.looseObject({
  metadata: objectMetaSchema.loose().extend({ uid: z.string().default(''), resourceVersion: z.string().default('') }),
});

const reviewSchema = z.looseObject({ status: z.unknown() });

const listSchema = z.object({
  metadata: z.object({ continue: z.string().default(''), resourceVersion: z.string().default('') }),
  // An empty list may have `null` here.
  items: z
    .array(rawObjectSchema)
    .nullable()
    .transform((items) => items ?? []),
});

/** The calls that controllers make, over a transport. */
export function createKubeClient(transport: Transport): KubeClient {
  return {
    get: (resource, object, options) =>
      callForObject(transport, {
        ...limits(options),
        subject: subjectOf('get', resource, object),
        method: 'GET',
        path: () => objectPath('get', resource, object),
        accept: options.metadataOnly === true ? partialObject : undefined,
      }),
    list: (resource, query, options) => listAll(transport, resource, query, options),
    create: (resource, body, options) =>
      callForObject(transport, {
        ...write('create', resource, body, options),
        method: 'POST',
        path: () => creationPath(resource, body) + writeQuery(options),
      }),
    apply: (resource, body, options) =>
      callForObject(transport, {
        ...write('apply', resource, body, options),
        method: 'PATCH',
        contentType: 'application/apply-patch+yaml',
        path: () =>
          objectPath('apply', resource, nameOf(body), options.subresource) +
          writeQuery(options, options.force ? 'true' : undefined),
      }),
    mergePatch: (resource, body, options) =>
      callForObject(transport, {
        ...write('patch', resource, body, options),
        method: 'PATCH',
        contentType: 'application/merge-patch+json',
        path: () => objectPath('patch', resource, nameOf(body), options.subresource) + writeQuery(options),
      }),
    review: (resource, spec, options) => postReview(transport, resource, spec, options),
    delete: (resource, object, options) => deleteObject(transport, resource, object, options),
  };
}

interface ObjectCall extends Omit<TransportRequest, 'path'> {
  /** A function, so that a name that can't be one rejects instead of throwing. */
  readonly path: () => string;
  readonly dryRun?: boolean;
}

async function callForObject(transport: Transport, call: ObjectCall): Promise<RawObject> {
  const { path, dryRun, ...request } = call;
  const answer = await transport.call({ ...request, path: path() }).catch((error: unknown) => {
    throw isOtherUid(error) ? conflictOf(error) : error;
  });
  return checked(request.subject, dryRun === true ? dryRunSchema : rawObjectSchema, answer);
}

/** To the API server a uid that is not the object's is an immutable field that somebody tries to change. */
function isOtherUid(error: unknown): error is KubeError {
  return isInvalid(error) && error.causes.length > 0 && error.causes.every((cause) => cause.field === 'metadata.uid');
}

function conflictOf({ subject, causes }: KubeError): KubeError {
  const detail = 'another object has this name now';
  return new KubeError({ subject, status: 409, reason: 'Conflict', detail, causes: causes.slice(0, 1) });
}

async function listAll(
  transport: Transport,
  resource: Resource,
  query: { namespace?: string; labelSelector?: string; fieldSelector?: string },
  options: CallOptions,
): Promise<RawObject[]> {
  try {
    return await listPages(transport, resource, query, options);
  } catch (error) {
    if (!isGone(error)) {
      throw error;
    }
    // The pages outlived the version they were of: from the start, once.
    return listPages(transport, resource, query, options);
  }
}

async function listPages(
  transport: Transport,
  resource: Resource,
  query: { namespace?: string; labelSelector?: string; fieldSelector?: string },
  options: CallOptions,
): Promise<RawObject[]> {
  const { namespace = '', ...selectors } = query;
  const subject = subjectOf('list', resource, { namespace });
  const items: RawObject[] = [];
  let next = '';
  do {
    const parameters = { ...selectors, limit: String(pageSize), continue: next };
    const path = collectionPath(resource, namespace) + queryString(parameters);
    const answer = await transport.call({ ...limits(options), subject, method: 'GET', path });
    const page = checked(subject, listSchema, answer);
    for (const item of page.items) {
      items.push(item);
    }
    next = page.metadata.continue;
  } while (next !== '');
  return items;
}

async function postReview(
  transport: Transport,
  resource: Resource,
  spec: Readonly<Record<string, unknown>>,
  options: CallOptions,
): Promise<unknown> {
  const subject = subjectOf('create', resource);
  const body = { apiVersion: apiVersion(resource), kind: resource.kind, spec };
  const path = collectionPath(resource, '');
  const answer = await transport.call({ ...limits(options), subject, method: 'POST', path, body });
  return checked(subject, reviewSchema, answer).status;
}

async function deleteObject(
  transport: Transport,
  resource: Resource,
  object: ObjectName,
  options: CallOptions & { uid: string; resourceVersion?: string },
): Promise<void> {
  const { uid, resourceVersion } = options;
  const preconditions = resourceVersion === undefined ? { uid } : { uid, resourceVersion };
  try {
    await transport.call({
      ...limits(options),
      subject: subjectOf('delete', resource, object),
      method: 'DELETE',
      path: objectPath('delete', resource, object),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: 'Background' },
    });
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
  }
}

function write(
  verb: string,
  resource: Resource,
  body: KubeBody,
  options: WriteOptions,
): Pick<ObjectCall, 'subject' | 'body' | 'signal' | 'deadline' | 'dryRun'> {
  return {
    ...limits(options),
    subject: subjectOf(verb, resource, nameOf(body)),
    body: { ...body, apiVersion: apiVersion(resource), kind: resource.kind },
    dryRun: options.dryRun === true,
  };
}

/** A POST goes to the collection; its name and namespace are checked as those of any other object. */
function creationPath(resource: Resource, body: KubeBody): string {
  const path = objectPath('create', resource, nameOf(body));
  return path.slice(0, path.lastIndexOf('/'));
}

function writeQuery(options: WriteOptions, force?: string): string {
  const dryRun = options.dryRun === true ? 'All' : undefined;
  return queryString({ fieldManager: options.fieldManager, force, dryRun });
}

function limits(options: CallOptions): { signal: AbortSignal; deadline: number | undefined } {
  return { signal: options.signal, deadline: options.deadline };
}

function nameOf(body: KubeBody): ObjectName {
  return { namespace: body.metadata.namespace ?? '', name: body.metadata.name };
}

/** Zod's own message could quote the answer. */
function checked<T>(subject: CallSubject, schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) {
    return parsed.data;
  }
  const detail = 'the answer is not the kind of object that was asked for';
  throw new KubeError({
    subject,
    status: 0,
    reason: 'InvalidResponse',
    detail,
    mayHaveTakenEffect: !['get', 'list'].includes(subject.verb),
  });
}
