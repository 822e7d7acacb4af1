import { z } from 'zod';
import {
  type AwsCall,
  type AwsReply,
  type AwsServer,
  awsError,
  forwardTo,
  ok,
  startAwsServer,
} from '../../contract/aws-server.ts';
import type { FaultBook } from '../fault-book.ts';
import type { BackendCall } from '../history.ts';
import type { Fault } from '../plan.ts';
import type { Controlled } from './api-proxy.ts';

export interface BackendProxyOptions {
  readonly url: string;
  readonly book: FaultBook;
  /** The process that is killed where a plan says so. */
  readonly process: Controlled;
  readonly now: () => number;
  readonly record: (call: BackendCall) => void;
}

/** Milliseconds. */
const outage = 2_500;

/** Stands between the operators and the backend. */
export interface BackendProxy extends Pick<AwsServer, 'url' | 'close'> {
  /** From now on every call fails, or not any more. */
  readonly fail: (fails: boolean) => void;
}

export async function startBackendProxy(options: BackendProxyOptions): Promise<BackendProxy> {
  const pass = forwardTo(options.url);
  let downUntil = 0;
  const server = await startAwsServer(async (call) => {
    const at = options.now();
    const secrets = secretsOf(call);
    options.record({ action: call.action, secrets, at });
    const fault = options.book.take('call', `${call.action} ${secrets.join(',')}`)?.do;
    if (fault === 'outage') downUntil = at + outage;
    if (at < downUntil) return failed;
    const passOn: Pass = async () => pass(call);
    return fault === undefined ? passOn() : happenings[fault](passOn, options.process);
  });
  return {
    url: server.url,
    close: () => server.close(),
    fail: (fails) => {
      downUntil = fails ? Number.POSITIVE_INFINITY : 0;
    },
  };
}

const failed: AwsReply = { status: 500, body: { __type: 'InternalServiceError', message: 'words of AWS' } };

type CallFault = Extract<Fault, { on: 'call' }>['do'];

type Pass = () => Promise<AwsReply>;

const happenings: Readonly<Record<CallFault, (pass: Pass, process: Controlled) => Promise<AwsReply>>> = {
  throttle: async () => awsError('ThrottlingException', 'Rate exceeded'),
  'error-500': async () => failed,
  denied: async () => awsError('AccessDeniedException', 'not authorized to perform this'),
  hang: async () => 'hang',
  reset: async () => 'reset',
  garbage: async () => ({ status: 200, body: '{"SecretValues": [{"Na' }),
  'empty-value': async (pass) => altered(await pass(), emptied),
  partial: async (pass) => altered(await pass(), shortened),
  outage: async () => failed,
  'kill-before': async (_pass, process) => {
    await process.kill();
    return 'reset';
  },
  'kill-after': async (pass, process) => {
    await pass();
    await process.kill();
    return 'reset';
  },
};

const inputSchema = z.object({ SecretIdList: z.array(z.string()).optional(), SecretId: z.string().optional() });

function secretsOf({ input }: AwsCall): readonly string[] {
  const { SecretIdList = [], SecretId } = inputSchema.parse(input);
  return [...SecretIdList, ...(SecretId === undefined ? [] : [SecretId])].toSorted();
}

type Answer = Record<string, unknown>;
const answerSchema = z.record(z.string(), z.unknown());

function altered(reply: AwsReply, change: (answer: Answer) => Answer): AwsReply {
  const text = typeof reply === 'string' || reply.status !== 200 ? undefined : z.string().parse(reply.body);
  // STS answers in XML: there is no value in it.
  if (text?.startsWith('{') !== true) return reply;
  return ok(change(answerSchema.parse(JSON.parse(text))));
}

function emptied(answer: Answer): Answer {
  const values = z.array(answerSchema).safeParse(answer['SecretValues']);
  if (values.success) return { ...answer, SecretValues: values.data.map(blank) };
  return 'SecretString' in answer ? blank(answer) : answer;
}

function blank(answer: Answer): Answer {
  return { ...answer, SecretString: '' };
}

/** Without what was asked for first, and without a word about it. */
function shortened(answer: Answer): Answer {
  const values = z.array(answerSchema).safeParse(answer['SecretValues']);
  return values.success ? { ...answer, SecretValues: values.data.slice(1) } : {};
}
