import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectProxy, startConnectProxy } from './testing/connect-proxy.ts';
import { openTunnel } from './tunnel.ts';

describe('a tunnel', () => {
  let server: Server;
  let host: string;
  let proxy: ConnectProxy;

  beforeEach(async () => {
    server = createServer((socket) => socket.pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    host = `127.0.0.1:${address === null || typeof address === 'string' ? '' : address.port}`;
  });
  afterEach(async () => {
    await proxy.close();
    server.close();
  });

  it('is a socket to the host, asked for with the credentials of the proxy', async () => {
    proxy = await startConnectProxy();

    const socket = await openTunnel(proxy.url, host);
    socket.write('hello');
    const [answer] = await once(socket, 'data');

    expect(String(answer)).toBe('hello');
    const authorization = `Basic ${Buffer.from('jane:p@ss').toString('base64')}`;
    expect(proxy.asked).toEqual([{ target: host, authorization }]);
    socket.destroy();
  });

  it('is none where the proxy refuses, and its page is not told', async () => {
    proxy = await startConnectProxy(407);

    const failure = await openTunnel(proxy.url, host).catch(String);

    expect(failure).toBe(`TunnelError: the proxy ${proxy.url.host} refuses to connect to ${host}: 407`);
  });

  it('is none where nobody listens', async () => {
    proxy = await startConnectProxy();
    await proxy.close();

    await expect(openTunnel(proxy.url, host)).rejects.toThrow(
      `the proxy ${proxy.url.host} can't be reached: ECONNREFUSED`,
    );
  });
});
