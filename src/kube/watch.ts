import { z } from 'zod';
import { safeMessage } from '../runtime/errors.ts';
import { type RawObject, rawObjectSchema } from './object.ts';
import { type Status, statusSchema } from './status.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: RawObject }
  /** Nothing happened up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  /** The server gives the watch up. */
  | { readonly type: 'ERROR'; readonly status: Status };

/** A watch sent what is no event. Something may have been lost, so only a new list helps. Never quotes what was sent. */
export class BrokenWatchError extends Error {
  override readonly name = 'BrokenWatchError';
  readonly [safeMessage] = true;
}

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal(['ADDED', 'MODIFIED', 'DELETED']), object: rawObjectSchema }),
  z
    .object({ type: z.literal('BOOKMARK'), object: z.object({ metadata: z.object({ resourceVersion: z.string() }) }) })
    .transform(({ type, object }) => ({ type, resourceVersion: object.metadata.resourceVersion })),
  z
    .object({ type: z.literal('ERROR'), object: statusSchema })
    .transform(({ type, object }) => ({ type, status: object })),
]);

/** Ten times what etcd takes for an object. */
const longestLine = 16 * 1024 * 1024;

/**
 * The events of a watch, as their lines become complete.
 *
 * @param onBytes called for everything that arrives, as a sign of life
 * @throws BrokenWatchError at a line that is no event, or that ends with the stream
 */
export async function* watchEvents(
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<WatchEvent, void, undefined> {
  let rest: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    onBytes();
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      yield parseEvent([...rest, chunk.subarray(start, end)]);
      rest = [];
      length = 0;
      start = end + 1;
    }
    rest.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > longestLine) {
      throw new BrokenWatchError('a watch event is longer than 16 MiB');
    }
  }
  if (length > 0) {
    throw new BrokenWatchError('the watch ended within an event');
  }
}

const lineFeed = 0x0a;

function parseEvent(parts: readonly Uint8Array[]): WatchEvent {
  const parsed = eventSchema.safeParse(parseJson(Buffer.concat(parts).toString('utf8')));
  if (!parsed.success) {
    throw new BrokenWatchError('a line of the watch is not an event');
  }
  return parsed.data;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
