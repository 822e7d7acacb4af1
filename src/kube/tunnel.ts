import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

/** The API server was not reached, as its proxy did not connect us. */
export class TunnelError extends Error {
  override readonly name = 'TunnelError';
}

/** Milliseconds until a proxy has to have answered. */
const patience = 10_000;

/**
 * Has a proxy connect us to `host`, by CONNECT (RFC 9110, 9.3.6), with the user and the password of the proxy's URL where it has some. The socket is
 * as if it were one to that host: TLS comes next.
 *
 * @throws TunnelError where the proxy can't be reached, refuses, or does not answer within 10 s; without anything that the proxy wrote
 */
export function openTunnel(proxy: URL, host: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const request = connectRequest(proxy, host);
  const refuse = (why: string): void => reject(new TunnelError(`the proxy ${proxy.host} ${why}`));
  request.setTimeout(patience, () => {
    refuse(`did not answer within ${patience / 1000} s`);
    request.destroy();
  });
  request.once('connect', ({ statusCode = 0 }, socket) => {
    request.setTimeout(0);
    if (statusCode === 200) return resolve(socket);
    socket.destroy();
    return refuse(`refuses to connect to ${host}: ${statusCode}`);
  });
  request.once('error', ({ code }: NodeJS.ErrnoException) =>
    refuse(`can't be reached: ${code ?? 'the connection broke'}`),
  );
  request.end();
  return promise;
}

function connectRequest(proxy: URL, host: string): ClientRequest {
  const credentials = [proxy.username, proxy.password].map(decodeURIComponent).join(':');
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const headers = { Host: host, ...(credentials === ':' ? {} : { 'Proxy-Authorization': authorization }) };
  const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  return send({
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? (proxy.protocol === 'https:' ? 443 : 80) : proxy.port,
    path: host,
    headers,
    agent: false,
  });
}
