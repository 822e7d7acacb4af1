import { Agent, request } from 'undici';
import { z } from 'zod';
import { type ApiObject, type KubeBody, objectSchema } from './server-object.ts';

/** An API server, and who asks it. */
export interface Server {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';

/** The API server refused. `message` is its own. */
class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ServerCalls {
  /** Gives the body as text. @throws ApiRefusal */
  readonly call: (method: Method, path: string, body?: KubeBody, contentType?: string) => Promise<string>;
  /** The same, of an object. @throws ApiRefusal */
  readonly object: (method: Method, path: string, body?: KubeBody, contentType?: string) => Promise<ApiObject>;
  readonly close: () => Promise<void>;
}

export const mergePatch = 'application/merge-patch+json';
export const applyPatch = 'application/apply-patch+yaml';

/** Calls that share no code with the operator. */
export function openCalls({ url, ca, token }: Server): ServerCalls {
  const dispatcher = new Agent({ connect: { ca } });
  const call: ServerCalls['call'] = async (method, path, body, contentType = 'application/json') => {
    const answer = await request(`${url}${path}`, {
      dispatcher,
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new ApiRefusal(answer.statusCode, messageOf(text));
    return text;
  };
  return {
    call,
    object: async (...args) => objectSchema.parse(JSON.parse(await call(...args))),
    close: () => dispatcher.close(),
  };
}

/** Undefined where what was asked for does not exist. */
export async function unlessNotFound<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** The apiVersion of what stands under a path: `apps/v1` for `/apis/apps/v1`. */
export function apiVersionOf(base: string): string {
  return base.replace(/^\/apis?\//, '');
}

function messageOf(text: string): string {
  const status = z.object({ message: z.string() }).safeParse(safeJson(text));
  return status.success ? status.data.message : text;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
