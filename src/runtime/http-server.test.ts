import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createFakeClock } from './fake-clock.ts';
import { unhealthy } from './health.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';
import { silentLogger } from './logger.ts';
import { createRegistry, gauge } from './metrics.ts';

const started: HttpServer[] = [];

async function serve(options: Partial<HttpServerOptions> = {}) {
  const server = createHttpServer({
    address: { host: '127.0.0.1', port: 0 },
    live: {},
    ready: {},
    registry: createRegistry(),
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  const { port } = await server.start();
  started.push(server);
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
  return { server, port, get };
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

function fails(): never {
  throw new Error('hunter2');
}

const ok = () => ({ ok: true, message: '' });

describe('the HTTP server', () => {
  it.each(['/livez', '/healthz', '/readyz'])('answers %s with ok while nothing fails', async (path) => {
    const { get } = await serve({ live: { loop: ok }, ready: { caches: ok } });
    expect(await get(path)).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('fails only the probe whose check fails, and says what fails', async () => {
    const { get } = await serve({ live: { loop: ok }, ready: { leader: ok, caches: () => unhealthy('not synced') } });
    expect(await get('/livez')).toMatchObject({ status: 200 });
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      body: '[-] caches failed: not synced\nreadyz check failed\n',
    });
  });

  it('lists all checks when asked to', async () => {
    const { get } = await serve({ live: { loop: ok, workers: ok } });
    const { body } = await get('/livez?verbose');
    expect(body).toBe('[+] loop ok\n[+] workers ok\nlivez check passed\n');
  });

  it('takes a check that throws for failed, without its message', async () => {
    const { get } = await serve({ live: { odd: fails } });
    expect(await get('/livez')).toMatchObject({
      status: 503,
      body: '[-] odd failed: the check itself failed\nlivez check failed\n',
    });
  });

  it('serves the metrics of its registry', async () => {
    const registry = createRegistry();
    gauge(registry, 'keyferry_test', 'A test.').set(7);
    const { get } = await serve({ registry });
    const { status, type, body } = await get('/metrics');
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toContain('keyferry_test 7');
  });

  it('survives metrics that can not be read', async () => {
    const registry = createRegistry();
    gauge(registry, 'keyferry_test', 'A test.', [], fails);
    const { get } = await serve({ registry });
    expect(await get('/metrics')).toMatchObject({ status: 500, body: 'internal error\n' });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  it('refuses other paths and methods', async () => {
    const { get } = await serve();
    expect(await get('/')).toMatchObject({ status: 404 });
    expect(await get('/livez', { method: 'POST' })).toMatchObject({ status: 405 });
    expect(await get('/livez', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it('rejects its start when the port is taken', async () => {
    const { port } = await serve();
    await expect(serve({ address: { host: '127.0.0.1', port } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('closes idle connections when it is stopped, so that the stop does not wait for them', async () => {
    const { server, get } = await serve({ clock: createFakeClock() });
    await get('/livez');
    await server.stop();
    await expect(get('/livez')).rejects.toThrow('fetch failed');
  });

  it('closes a connection that stays busy after its grace', async () => {
    const clock = createFakeClock();
    const { server, port } = await serve({ clock });
    const socket = connect(port, '127.0.0.1');
    const answered = once(socket, 'data');
    await once(socket, 'connect');
    // The first request shows that the server has the connection, the second never ends.
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /livez HTTP/1.1\r\n');
    await answered;
    const closed = once(socket, 'close');
    const stopped = server.stop();
    await clock.advance(999);
    expect(socket.closed).toBe(false);
    await clock.advance(1);
    await Promise.all([stopped, closed]);
    expect(socket.closed).toBe(true);
  });
});
