import { describe, expect, it } from 'vitest';
import { BrokenWatchError, type WatchEvent, watchEvents } from './watch.ts';

const metadata = { name: 'a', namespace: 'shop', uid: 'u', resourceVersion: '5' };

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.subarray(start, start + size));
  }
}

async function parse(text: string, size = 1_000): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of watchEvents(chunksOf(Buffer.from(text), size), () => undefined)) {
    events.push(event);
  }
  return events;
}

describe('the events of a watch', () => {
  it.each([1, 7, 1_000])('are found in chunks of %i bytes', async (size) => {
    const lines = [
      { type: 'ADDED', object: { metadata, data: { a: 'ä€🚢' } } },
      { type: 'DELETED', object: { metadata } },
      { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: '9', creationTimestamp: null } } },
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } },
    ];

    const events = await parse(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), size);

    expect(events).toMatchObject([
      { type: 'ADDED', object: { metadata, data: { a: 'ä€🚢' } } },
      { type: 'DELETED', object: { metadata } },
      { type: 'BOOKMARK', resourceVersion: '9' },
      { type: 'ERROR', status: { code: 410, reason: 'Expired' } },
    ]);
  });

  it.each([
    ['no JSON', 'canary\n'],
    ['no event', '{"canary":1}\n'],
    ['an event of an unknown type', `{"type":"CANARY","object":{"canary":1}}\n`],
    ['an object without a version', '{"type":"ADDED","object":{"metadata":{"name":"canary","uid":"u"}}}\n'],
    ['half an event', '{"type":"ADDED","canary'],
  ])('are not taken from %s, which is not quoted', async (_, text) => {
    const error: unknown = await parse(text).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(BrokenWatchError);
    expect(String(error)).not.toContain('canary');
  });

  it('end where the stream ends', async () => {
    expect(await parse('')).toEqual([]);
  });

  it('tell that something arrived, before it is complete', async () => {
    let heard = 0;
    const events = watchEvents(chunksOf(Buffer.from('{"type"'), 2), () => {
      heard += 1;
    });

    await expect(events.next()).rejects.toThrow(BrokenWatchError);

    expect(heard).toBe(4);
  });
});
