import { z } from 'zod';

/** A value that etcd has, or had before it was changed or deleted. */
export interface EtcdWrite {
  /** `/registry/...`. */
  readonly key: string;
  /** As bytes, a character for each. */
  readonly value: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const latin1 = (text: string): string => Buffer.from(text, 'base64').toString('latin1');

const headerSchema = z.object({ header: z.object({ revision: z.coerce.number() }) });
const answerSchema = z.object({
  result: z.object({
    canceled: z.boolean().default(false),
    compact_revision: z.coerce.number().default(0),
    events: z
      .array(
        z.object({
          kv: z.object({ key: z.string(), value: z.string().default(''), mod_revision: z.coerce.number() }),
        }),
      )
      .default([]),
  }),
});
type Answer = z.infer<typeof answerSchema>['result'];

/** Every key: from the lowest to no end. */
const everything = { key: base64('\0'), range_end: base64('\0') };

/**
 * Everything that was written to etcd so far, read from etcd itself past the API server: also what was changed or deleted since, unless etcd has compacted
 * it away. From `first` on, where an earlier call ended.
 */
export async function* etcdHistory(etcdUrl: string, first = 1): AsyncGenerator<EtcdWrite> {
  const counted = await post(`${etcdUrl}/v3/kv/range`, { ...everything, count_only: true });
  const { revision: last } = headerSchema.parse(await counted.json()).header;
  const stopped = new AbortController();
  const request = { ...everything, start_revision: String(first), fragment: true };
  const answers = await post(`${etcdUrl}/v3/watch`, { create_request: request }, stopped.signal);
  let compacted = 0;
  try {
    for await (const { canceled, compact_revision: from, events } of answersIn(answers)) {
      if (canceled) {
        compacted = from;
        break;
      }
      for (const { kv } of events) yield { key: Buffer.from(kv.key, 'base64').toString(), value: latin1(kv.value) };
      if (events.some(({ kv }) => kv.mod_revision >= last)) return;
    }
  } finally {
    stopped.abort();
  }
  if (compacted <= first) throw new Error('the watch of etcd ended before everything was seen');
  yield* etcdHistory(etcdUrl, compacted);
}

async function post(url: string, body: object, signal?: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal: signal ?? null });
  if (!answer.ok) throw new Error(`etcd answers ${answer.status} at ${url}`);
  return answer;
}

async function* answersIn({ body }: Response): AsyncGenerator<Answer> {
  let rest = '';
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield answerSchema.parse(JSON.parse(line)).result;
  }
}
