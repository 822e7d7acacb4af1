import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts';
import { isConflict, isGone, isTimeout, isTooManyRequests, isUnavailable } from './errors.ts';
import { subjectOf } from './path.ts';
import { type Resource, secrets } from './resource.ts';
import { failureOf } from './testing/failure-of.ts';
import { type Answer, json, reset, type ScriptedServer, startScriptedServer, text } from './testing/scripted-server.ts';
import { createTransport, type RequestRecord, type Transport, type TransportRequest } from './transport.ts';

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const never = new AbortController().signal;

function request(more: Partial<TransportRequest> = {}): TransportRequest {
  const subject = subjectOf('get', configMaps, { namespace: 'shop', name: 'a' });
  return { subject, method: 'GET', path: '/api/v1/x', signal: never, ...more };
}

function post(more: Partial<TransportRequest> = {}): TransportRequest {
  return request({ method: 'POST', body: { a: 1 }, ...more });
}

describe('the transport', () => {
  let api: ScriptedServer;
  let clock: FakeClock;
  let records: RequestRecord[];
  let transport: Transport;

  beforeEach(async () => {
    api = await startScriptedServer();
    clock = createFakeClock();
    records = [];
    transport = createTransport({
      server: api.server,
      clock,
      random: () => 0,
      version: '1.2.3',
      onRequest: (record) => records.push(record),
    });
  });

  afterEach(async () => {
    await transport.close();
    await api.close();
  });

  it('sends JSON and gives the JSON of the answer', async () => {
    api.script(json(200, { b: 2 }));

    const answer = await transport.call(post({ contentType: 'application/merge-patch+json' }));

    expect(answer).toEqual({ b: 2 });
    const [received] = api.received;
    expect(received).toMatchObject({ method: 'POST', path: '/api/v1/x', body: '{"a":1}' });
    expect(received?.headers).toMatchObject({
      accept: 'application/json',
      authorization: 'Bearer token',
      'content-type': 'application/merge-patch+json',
      'user-agent': 'keyferry/1.2.3',
    });
  });

  it('uses its connections again and again, and no more than it may', async () => {
    const narrow = createTransport({ server: api.server, clock, random: () => 0, version: '1', connections: 3 });
    api.script(...Array.from({ length: 60 }, () => json(200, {})));

    for (let round = 0; round < 6; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => narrow.call(request())));
    }
    await narrow.close();

    expect(api.received).toHaveLength(60);
    expect(api.connections()).toBeLessThanOrEqual(3);
  });

  it('acts as another user where it is told to', async () => {
    const impersonate = { user: 'jane', groups: ['devs', 'system:authenticated'] };
    const asJane = createTransport({ server: api.server, clock, random: () => 0, version: '1', impersonate });
    api.script(json(200, {}));

    await asJane.call(request());
    await asJane.close();

    expect(api.received[0]?.headers).toMatchObject({
      'impersonate-user': 'jane',
      'impersonate-group': 'devs, system:authenticated',
    });
  });

  it.each([429, 503])('tries a write that was turned away with %i again after the time asked for', async (status) => {
    api.script(json(status, {}, { 'retry-after': '2' }), json(201, { done: true }));

    const answer = transport.call(post());
    await vi.waitFor(() => expect(clock.pending()).toBe(2));
    await clock.advance(1_999);
    const before = api.received.length;
    await clock.advance(1);

    expect(await answer).toEqual({ done: true });
    expect(before).toBe(1);
    expect(api.received).toHaveLength(2);
    expect(clock.pending()).toBe(0);
  });

  it.each<[string, Answer]>([
    ['does not say when to come again', json(429, {})],
    ['asks for more time than there is', json(429, {}, { 'retry-after': '16' })],
  ])('gives up on a server that is too busy and %s', async (_, answer) => {
    api.script(answer, json(200, {}));

    const error = await failureOf(transport.call(post()));

    expect(isTooManyRequests(error)).toBe(true);
    expect(error.mayHaveTakenEffect).toBe(false);
    expect(api.received).toHaveLength(1);
  });

  it.each<[string, Answer, Partial<TransportRequest>, boolean]>([
    ['a write that the server failed at', json(500, {}), { method: 'POST', body: {} }, true],
    ['a read that the server failed at', json(500, {}), {}, false],
    ['a write whose connection broke', reset, { method: 'POST', body: {} }, true],
    ['a read whose connection broke', reset, {}, false],
    ['a write that a gateway gave up on', json(504, {}), { method: 'PATCH', body: {} }, true],
  ])('says whether %s may have taken effect', async (_, answer, more, expected) => {
    api.script(answer);

    const error = await failureOf(transport.call(request(more)));

    expect(isUnavailable(error)).toBe(true);
    expect(error.mayHaveTakenEffect).toBe(expected);
    expect(api.received).toHaveLength(1);
  });

  it('knows that a connection which was refused did nothing', async () => {
    await api.close();

    const error = await failureOf(transport.call(post()));

    expect(error).toMatchObject({ reason: 'ConnectionFailed', mayHaveTakenEffect: false, status: 0 });
    expect(error.message).toBe('cannot get configmaps shop/a: ConnectionFailed: ECONNREFUSED');
    expect(records).toMatchObject([{ code: '<error>', method: 'POST' }]);
  });

  it('gives up at the deadline when the server does not answer', async () => {
    const call = failureOf(transport.call(post({ deadline: 3_000 })));
    await vi.waitFor(() => expect(api.received).toHaveLength(1));
    await clock.advance(3_000);

    const error = await call;

    expect(isTimeout(error)).toBe(true);
    expect(isUnavailable(error)).toBe(true);
    expect(error.mayHaveTakenEffect).toBe(true);
    expect(error.message).toContain('no answer within 3 s');
  });

  it('gives up at the deadline when the answer stops halfway', async () => {
    api.script((response) => void response.writeHead(200).write('{"a":'));
    const call = failureOf(transport.call(request({ deadline: 3_000 })));
    await vi.waitFor(() => expect(records).toHaveLength(1));
    await clock.advance(3_000);

    expect(isTimeout(await call)).toBe(true);
  });

  it('rejects with the reason of a signal that aborts, also between two tries', async () => {
    const controller = new AbortController();
    const reason = new Error('shutting down');
    api.script(json(429, {}, { 'retry-after': '5' }));
    const call = transport.call(request({ signal: controller.signal })).catch((error: unknown) => error);
    await vi.waitFor(() => expect(clock.pending()).toBe(2));

    controller.abort(reason);

    expect(await call).toBe(reason);
    expect(api.received).toHaveLength(1);
    await expect(transport.call(request({ signal: controller.signal }))).rejects.toBe(reason);
  });

  it('does not quote an answer that is not JSON', async () => {
    api.script(text(200, '<html>canary</html>'));

    const error = await failureOf(transport.call(request()));

    expect(error.reason).toBe('InvalidResponse');
    expect(`${error.stack ?? ''}${String(error.cause)}`).not.toContain('canary');
  });

  it('tells what the server said, in one line of bounded length, but nothing of it about a Secret', async () => {
    const status = {
      kind: 'Status',
      code: 422,
      reason: 'Invalid',
      message: `data: Invalid value: "canary"\n${'x'.repeat(400)}`,
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'data[a]', message: 'canary' }] },
    };
    api.script(json(422, status), json(422, status));

    const open = await failureOf(transport.call(request()));
    const secret = await failureOf(transport.call(request({ subject: subjectOf('apply', secrets, { name: 'a' }) })));

    expect(open.message).toContain('data: Invalid value: "canary" xxx');
    expect(open.message.length).toBeLessThan(400);
    expect(secret.message).toBe('cannot apply secrets a: 422 Invalid: data[a]');
    expect(JSON.stringify([secret, secret.stack])).not.toContain('canary');
  });

  it('names the owners of fields in conflict, also of a Secret', async () => {
    const causes = [{ reason: 'FieldManagerConflict', field: '.data.a', message: 'conflict with "kubectl" using v1' }];
    api.script(json(409, { kind: 'Status', code: 409, reason: 'Conflict', message: 'canary', details: { causes } }));

    const error = await failureOf(transport.call(post({ subject: subjectOf('apply', secrets, { name: 'a' }) })));

    expect(isConflict(error)).toBe(true);
    expect(error.message).toBe('cannot apply secrets a: 409 Conflict: .data.a belongs to kubectl');
    expect(error.mayHaveTakenEffect).toBe(false);
  });

  it('does not tell what a credential plugin printed', async () => {
    const server = { ...api.server, credentials: () => Promise.reject(new Error('canary')) };
    const broken = createTransport({ server, clock, random: () => 0, version: '1' });

    const error = await failureOf(broken.call(request()));
    await broken.close();

    expect(error.reason).toBe('CredentialsFailed');
    expect(error.stack).not.toContain('canary');
  });

  it('gives up at the deadline when a credential plugin hangs', async () => {
    const server = { ...api.server, credentials: () => new Promise<never>(() => undefined) };
    const hanging = createTransport({ server, clock, random: () => 0, version: '1' });

    const call = failureOf(hanging.call(request()));
    await clock.advance(15_000);

    expect(isTimeout(await call)).toBe(true);
    await hanging.close();
  });

  it('reports every request with its code and host', async () => {
    api.script(json(200, {}), json(404, {}));

    await transport.call(request());
    await failureOf(transport.call(request()));

    const host = api.server.url.replace('http://', '');
    expect(records).toMatchObject([
      { code: '200', method: 'GET', host },
      { code: '404', method: 'GET', host },
    ]);
  });

  describe('streaming', () => {
    it('gives the body as it comes, without a deadline once it is open', async () => {
      const answers: { response?: Parameters<Answer>[0] } = {};
      api.script((response) => {
        answers.response = response;
        response.writeHead(200).write('one');
      });

      const body = await transport.stream(request({ deadline: 1_000 }));
      await clock.advance(60_000);
      answers.response?.end('two');
      const chunks = [];
      for await (const chunk of body) {
        chunks.push(Buffer.from(chunk).toString('utf8'));
      }

      expect(chunks.join('')).toBe('onetwo');
    });

    it('breaks when the signal aborts', async () => {
      const controller = new AbortController();
      api.script((response) => void response.writeHead(200).write('one'));
      const body = await transport.stream(request({ signal: controller.signal }));
      const reading = (async () => {
        for await (const chunk of body) {
          expect(Buffer.from(chunk).toString('utf8')).toBe('one');
          controller.abort(new Error('enough'));
        }
      })();

      await expect(reading).rejects.toThrow('enough');
    });

    it('rejects with a typed error when it is refused', async () => {
      api.script(json(410, { kind: 'Status', reason: 'Expired', code: 410 }));

      const error = await failureOf(transport.stream(request()));

      expect(isGone(error)).toBe(true);
      expect(clock.pending()).toBe(0);
    });
  });
});
