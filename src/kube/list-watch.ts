import { z } from 'zod';
import { KubeError } from './errors.ts';
import { type RawObject, rawObjectSchema } from './object.ts';
import { collectionPath, queryString, subjectOf } from './path.ts';
import type { Resource } from './resource.ts';
import type { Transport } from './transport.ts';

/** What a reflector looks at. */
export interface Selection {
  readonly resource: Resource;
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only metadata ever leaves the API server: the way to watch Secrets. Needs the same permissions as everything. */
  readonly metadataOnly?: boolean;
  /** Keep `metadata.managedFields`, most of what metadata weighs. Default false. */
  readonly keepManagedFields?: boolean;
}

export interface ListWatch {
  /** Everything as of one resource version, in pages of at most `limit` objects; 0 means all in one. */
  pages(limit: number, signal: AbortSignal): AsyncGenerator<Page, void, undefined>;
  /** Opens a watch of what happens after `resourceVersion`. The server ends it after `seconds`. */
  watch(resourceVersion: string, seconds: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Drops what may not, or need not, be kept in memory. */
  trim(object: RawObject): RawObject;
}

export interface Page {
  readonly items: readonly RawObject[];
  readonly resourceVersion: string;
}

const pageDeadline = 60_000;
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
export const partialObject = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
/** kubectl writes the whole object into it, so on a Secret it holds the values. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

const pageSchema = z.object({
  kind: z.string(),
  metadata: z.object({ continue: z.string().default(''), resourceVersion: z.string().min(1) }),
  // An empty list of metadata has `null` here.
  items: z
    .array(rawObjectSchema)
    .nullable()
    .transform((items) => items ?? []),
});

export function createListWatch(transport: Transport, selection: Selection): ListWatch {
  const { resource, namespace = '', labelSelector, fieldSelector, metadataOnly } = selection;
  const collection = collectionPath(resource, namespace);
  return {
    pages: (limit, signal) => listPages(transport, selection, limit, signal),
    watch: (resourceVersion, seconds, signal) => {
      const watching = { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: String(seconds), resourceVersion };
      return transport.stream({
        subject: subjectOf('watch', resource, { namespace }),
        method: 'GET',
        path: collection + queryString({ labelSelector, fieldSelector, ...watching }),
        accept: metadataOnly === true ? partialObject : undefined,
        signal,
      });
    },
    trim: (object) => trim(object, selection),
  };
}

async function* listPages(
  transport: Transport,
  selection: Selection,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<Page, void, undefined> {
  let next = '';
  do {
    const { items, metadata } = await readPage(transport, selection, next, limit, signal);
    yield { items: items.map((item) => trim(item, selection)), resourceVersion: metadata.resourceVersion };
    next = metadata.continue;
  } while (next !== '');
}

async function readPage(
  transport: Transport,
  selection: Selection,
  next: string,
  limit: number,
  signal: AbortSignal,
): Promise<z.infer<typeof pageSchema>> {
  const { resource, namespace = '', labelSelector, fieldSelector, metadataOnly } = selection;
  const subject = subjectOf('list', resource, { namespace });
  const paging = { limit: limit === 0 ? undefined : String(limit), continue: next };
  const answer = await transport.call({
    subject,
    method: 'GET',
    path: collectionPath(resource, namespace) + queryString({ labelSelector, fieldSelector, ...paging }),
    accept: metadataOnly === true ? partialList : undefined,
    signal,
    deadline: pageDeadline,
  });
  const page = pageSchema.safeParse(answer);
  if (!page.success || (metadataOnly === true && page.data.kind !== 'PartialObjectMetadataList')) {
    const detail = 'the answer is not the list that was asked for';
    throw new KubeError({ subject, status: 0, reason: 'InvalidResponse', detail });
  }
  return page.data;
}

function trim(object: RawObject, selection: Selection): RawObject {
  const metadata = { ...object.metadata };
  if (selection.keepManagedFields !== true) {
    Reflect.deleteProperty(metadata, 'managedFields');
  }
  if (lastApplied in metadata.annotations) {
    const { [lastApplied]: _, ...annotations } = metadata.annotations;
    metadata.annotations = annotations;
  }
  return selection.metadataOnly === true ? { metadata } : { ...object, metadata };
}
