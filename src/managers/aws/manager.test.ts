import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AwsHandler,
  type AwsReply,
  type AwsServer,
  awsError,
  ok,
  startAwsServer,
} from '../../../test/contract/aws-server.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { ManagerError } from '../errors.ts';
import type { AccessResult, SecretManager, Selection, Selector } from '../manager.ts';
import { createAwsManager } from './manager.ts';

const never = new AbortController().signal;
const latest: Selector = { kind: 'latest' };
const id = (digit: string): string => `${digit.repeat(8)}-0000-4000-8000-000000000000`;
const canary = 'canary-words-of-aws';

let server: AwsServer;
let manager: SecretManager;
let clock = createFakeClock();
let warnings: string[] = [];

beforeEach(async () => {
  server = await startAwsServer(() => awsError('InternalServiceError'));
  clock = createFakeClock();
  warnings = [];
  manager = createManager({});
});
afterEach(async () => {
  manager.close();
  await server.close();
});

function createManager(more: Partial<Parameters<typeof createAwsManager>[0]>): SecretManager {
  return createAwsManager({
    region: 'eu-west-1',
    endpoint: server.url,
    keys: { accessKeyId: 'AKIATEST', secretAccessKey: 'test' },
    principal: 'the test keys',
    clock,
    logger,
    ...more,
  });
}

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => void warnings.push(message),
  error: () => undefined,
  child: () => logger,
};

function entry(name: string, text = `value of ${name}`, version = id('1')) {
  return { ARN: arn(name), Name: name, VersionId: version, SecretString: text, VersionStages: ['AWSCURRENT'] };
}

function arn(name: string, suffix = 'AbCdEf'): string {
  return `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-${suffix}`;
}

function read(...names: readonly string[]): Promise<readonly AccessResult[]> {
  return readAll(names.map((secret) => ({ secret, selector: latest })));
}

/** Rejects with the error of the one result, too. */
async function readOne(name: string): Promise<AccessResult | undefined> {
  const [result] = await read(name);
  if (result instanceof ManagerError) throw result;
  return result;
}

function readAll(selections: readonly Selection[]): Promise<readonly AccessResult[]> {
  return manager.access(selections, never);
}

function shown(results: readonly AccessResult[]): readonly string[] {
  return results.map((result) => (result instanceof ManagerError ? result.reason : result.value.asString()));
}

async function failure(call: Promise<unknown>): Promise<ManagerError> {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof ManagerError) return thrown;
  throw new TypeError('it did not fail with a ManagerError');
}

/** Waits for a condition that something else brings about. */
async function until(met: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!met()) {
    if (Date.now() > deadline) throw new Error('the condition was not met in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function messages(results: readonly AccessResult[]): readonly string[] {
  return results.map((result) => (result instanceof ManagerError ? result.message : 'no error'));
}

/** Answers batches as the test says, and single reads well. */
function batch(answers: (names: readonly unknown[]) => AwsReply): AwsHandler {
  return (call) => {
    if (call.action === 'BatchGetSecretValue') return answers(list(call.input['SecretIdList']));
    return ok(entry(String(call.input['SecretId'])));
  };
}

function stage(name: string): Selector {
  return { kind: 'stage', stage: name };
}

describe('a fault of AWS or of the network', () => {
  const words = { message: canary, requestId: canary };
  it.each<[string, AwsReply, string, RegExp]>([
    [
      'ThrottlingException',
      awsError('ThrottlingException', canary),
      'Throttled',
      /throttles the calls of the test keys/,
    ],
    ['429 without words', { status: 429, body: '' }, 'Throttled', /throttles/],
    [
      'InternalServiceError',
      { status: 500, body: { __type: 'InternalServiceError', ...words } },
      'ManagerUnavailable',
      /internal/,
    ],
    ['503 of a proxy', { status: 503, body: `<p>${canary}</p>` }, 'ManagerUnavailable', /internal failure/],
    ['403 of a proxy', { status: 403, body: `<p>${canary}</p>` }, 'ManagerUnavailable', /is a proxy in between/],
    [
      '200 that is not JSON',
      { status: 200, body: `{"SecretString":"${canary}` },
      'ManagerUnavailable',
      /is a proxy in between/,
    ],
    ['200 without anything', { status: 200, body: '' }, 'ManagerUnavailable', /incomplete answer/],
    ['200 of another form', ok({ ...entry('db'), VersionId: 7 }), 'ManagerUnavailable', /incomplete answer/],
    ['200 without a value', ok({ ...entry('db'), SecretString: undefined }), 'ManagerUnavailable', /incomplete answer/],
    ['200 about another secret', ok(entry('other', canary)), 'ManagerUnavailable', /something else than was asked/],
    ['a broken connection', 'reset', 'ManagerUnavailable', /connection to .* was lost \(ECONNRESET\)/],
    [
      'UnrecognizedClientException',
      awsError('UnrecognizedClientException', canary),
      'AccessDenied',
      /does not accept the credentials of the test keys/,
    ],
    ['ExpiredTokenException', awsError('ExpiredTokenException', canary), 'AccessDenied', /\(ExpiredTokenException\)/],
    ['InvalidSignatureException', awsError('InvalidSignatureException', canary), 'AccessDenied', /credentials/],
    [
      'AccessDeniedException',
      awsError('AccessDeniedException', canary),
      'AccessDenied',
      /secretsmanager:GetSecretValue on db to the test keys.*does not exist/,
    ],
    [
      'AccessDeniedException of KMS',
      awsError('AccessDeniedException', 'Access to KMS is not allowed'),
      'AccessDenied',
      /allow kms:Decrypt/,
    ],
    ['DecryptionFailure', awsError('DecryptionFailure', canary), 'AccessDenied', /allow kms:Decrypt/],
    [
      'ResourceNotFoundException',
      awsError('ResourceNotFoundException', canary),
      'SecretNotFound',
      /no secret db in AWS/,
    ],
    [
      'no current version',
      awsError('ResourceNotFoundException', 'the secret value for staging label: X'),
      'NoVersion',
      /no current version/,
    ],
    [
      'InvalidRequestException on deletion',
      awsError('InvalidRequestException', 'it was marked for deletion.'),
      'VersionDisabled',
      /scheduled for deletion/,
    ],
    [
      'a code that nobody knows',
      awsError('WeirdException', canary),
      'ManagerUnavailable',
      /refuses .* with WeirdException/,
    ],
    [
      'an error code of another type',
      { status: 400, body: { __type: { a: 1 } } },
      'ManagerUnavailable',
      /is a proxy in between/,
    ],
    ['a code that is no code', awsError(`<b>${canary}</b>`), 'ManagerUnavailable', /is a proxy in between/],
    ['an empty text', ok(entry('db', '')), 'InvalidValue', /version .* of secret db is empty/],
    ['an empty binary', ok({ ...entry('db'), SecretString: undefined, SecretBinary: '' }), 'InvalidValue', /is empty/],
  ])('%s', async (_, reply, reason, message) => {
    server.handle(() => reply);
    const error = await failure(readOne('db'));
    expect([error.reason, error.message]).toEqual([reason, expect.stringMatching(message)]);
    expect(error.message).not.toContain(canary);
    expect(error.cause).toBeUndefined();
  });

  it('rejects where nothing could be asked, and answers where AWS did', async () => {
    server.handle(() => awsError('InternalServiceError'));
    await expect(read('db')).rejects.toMatchObject({ reason: 'ManagerUnavailable', transient: true });
    server.handle(() => awsError('ResourceNotFoundException'));
    await expect(read('db')).resolves.toHaveLength(1);
  });

  it('passes on how long AWS asks to wait, in milliseconds', async () => {
    server.handle(() => awsError('ThrottlingException', '', { 'retry-after': '7' }));
    expect((await failure(read('db'))).retryAfter).toBe(7000);
    server.handle(() => ({ status: 503, headers: { 'retry-after': '2' }, body: '' }));
    expect((await failure(read('db'))).retryAfter).toBe(2000);
  });

  it('an unreachable server', async () => {
    const unreachable = createManager({ endpoint: 'http://127.0.0.1:1' });
    const error = await failure(unreachable.access([{ secret: 'db', selector: latest }], never));
    expect([error.reason, error.message]).toEqual([
      'ManagerUnavailable',
      expect.stringMatching(/^cannot connect to .*ECONNREFUSED/),
    ]);
  });

  it('a server that speaks no TLS', async () => {
    const wrong = createManager({ endpoint: server.url.replace('http:', 'https:') });
    const error = await failure(wrong.access([{ secret: 'db', selector: latest }], never));
    expect([error.reason, error.message]).toEqual([
      'ManagerUnavailable',
      expect.stringMatching(/certificate .* not trusted/),
    ]);
  });

  it('no answer within 10 seconds', async () => {
    server.handle(() => 'hang');
    const answer = failure(read('db'));
    await until(() => server.calls.length === 1);
    await clock.advance(10_000);
    const { reason, message } = await answer;
    expect([reason, message]).toEqual(['ManagerUnavailable', expect.stringMatching(/did not answer within 10 s$/)]);
  });

  it('an abort ends a hanging call with the reason of the signal and leaves no timer', async () => {
    server.handle(() => 'hang');
    const abort = new AbortController();
    const answer = manager.access([{ secret: 'db', selector: latest }], abort.signal);
    await until(() => server.calls.length === 1);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(clock.pending()).toBe(0);
  });
});

describe('a batch', () => {
  it('has a result or an error for each secret', async () => {
    const codes = [
      'ResourceNotFoundException',
      'AccessDeniedException',
      'DecryptionFailure',
      'InternalServiceError',
      'ThrottlingException',
    ];
    const errors = codes.map((ErrorCode, index) => ({ SecretId: `e${index}`, ErrorCode, Message: canary }));
    server.handle(batch(() => ok({ SecretValues: [entry('b'), entry('a')], Errors: errors })));
    const found = await read('a', 'e0', 'e1', 'e2', 'e3', 'e4', 'b');
    const reasons = ['SecretNotFound', 'AccessDenied', 'AccessDenied', 'ManagerUnavailable', 'Throttled'];
    expect(shown(found)).toEqual(['value of a', ...reasons, 'value of b']);
    expect(messages(found).join()).not.toContain(canary);
  });

  it('names no secret where the manager could not be asked: everybody who uses it is told', async () => {
    const odd = ['mine', 'theirs'].map((SecretId) => ({ SecretId, ErrorCode: 'NewFault', Message: 'x' }));
    server.handle(batch(() => ok({ SecretValues: [entry('a')], Errors: odd })));
    const found = await read('mine', 'theirs', 'a', 'leftout');
    expect(shown(found)).toEqual(['ManagerUnavailable', 'ManagerUnavailable', 'value of a', 'ManagerUnavailable']);
    expect(messages(found).join()).not.toMatch(/mine|theirs|leftout/);
  });

  it('never takes a missing answer for a missing secret', async () => {
    server.handle(batch(() => ok({ SecretValues: [entry('a')] })));
    const found = await read('a', 'b');
    expect(shown(found)).toEqual(['value of a', 'ManagerUnavailable']);
    expect(messages(found)[1]).toMatch(/left a secret out of its answer/);
  });

  it('follows pages, and stops where they go in a circle', async () => {
    server.handle((call) => {
      const first = call.input['NextToken'] === undefined;
      return ok(
        first ? { SecretValues: [entry('a')], NextToken: 'more' } : { SecretValues: [entry('b')], NextToken: null },
      );
    });
    expect(shown(await read('a', 'b'))).toEqual(['value of a', 'value of b']);
    server.forget();
    server.handle(() => ok({ SecretValues: [entry('a')], NextToken: 'again' }));
    expect(shown(await read('a', 'b'))).toEqual(['value of a', 'ManagerUnavailable']);
    expect(server.calls.length).toBeLessThanOrEqual(4);
  });

  it('keeps what came before a page that failed', async () => {
    server.handle((call) => {
      if (call.input['NextToken'] !== undefined) return { status: 500, body: '' };
      return ok({ SecretValues: [entry('a')], NextToken: 'more' });
    });
    expect(shown(await read('a', 'b'))).toEqual(['value of a', 'ManagerUnavailable']);
  });

  it('that AWS refuses as a whole is read one by one, so that one name is not the fault of the others', async () => {
    server.handle(batch(() => awsError('InvalidParameterException')));
    expect(shown(await read('a', 'b'))).toEqual(['value of a', 'value of b']);
    expect(warnings).toEqual([]);
  });

  it('that is not permitted is said once, and tried again after an hour', async () => {
    server.handle(batch(() => awsError('AccessDeniedException')));
    for (let turn = 0; turn < 3; turn += 1) await read('a', 'b');
    expect([server.count('BatchGetSecretValue'), server.count('GetSecretValue')]).toEqual([1, 6]);
    await clock.advance(3_600_000);
    await read('a', 'b');
    expect([server.count('BatchGetSecretValue'), server.count('GetSecretValue')]).toEqual([2, 8]);
    expect(warnings).toEqual([expect.stringMatching(/^AWS refuses batch reads/)]);
  });

  it('has 20 names at most, and none that AWS would refuse', async () => {
    server.handle(batch((names) => ok({ SecretValues: names.map((name) => entry(String(name))) })));
    const names = Array.from({ length: 41 }, (_, index) => `s${index}`);
    const found = await read(
      ...names,
      'no good name',
      'arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf',
      'arn:x',
    );
    const sizes = server.calls.map((call) => list(call.input['SecretIdList']).length);
    expect(sizes.toSorted((a, b) => a - b)).toEqual([1, 20, 20]);
    expect(shown(found)).toEqual([
      ...names.map((name) => `value of ${name}`),
      ...Array.from({ length: 3 }, () => 'SecretNotFound'),
    ]);
  });

  it('stops asking when AWS throttles', async () => {
    server.handle(() => awsError('ThrottlingException', '', { 'retry-after': '3' }));
    const names = Array.from({ length: 400 }, (_, index) => `s${index}`);
    expect(await failure(read(...names))).toMatchObject({ reason: 'Throttled', retryAfter: 3000 });
    expect(server.calls.length).toBeLessThanOrEqual(4);
  });

  it('gives what it has when AWS begins to throttle', async () => {
    let calls = 0;
    server.handle((call) => {
      calls += 1;
      if (calls > 2) return awsError('ThrottlingException');
      return ok({ SecretValues: list(call.input['SecretIdList']).map((name) => entry(String(name))) });
    });
    const found = shown(await read(...Array.from({ length: 100 }, (_, index) => `s${index}`)));
    expect([found.length, found.filter((text) => text === 'Throttled').length]).toEqual([100, 60]);
  });
});

function readBoth(): Promise<readonly AccessResult[]> {
  return readAll([latest, stage('AWSPREVIOUS'), stage('green')].map((selector) => ({ secret: 'db', selector })));
}

describe('several labels of one secret', () => {
  const described = {
    ARN: arn('db'),
    Name: 'db',
    VersionIdsToStages: { [id('1')]: ['AWSPREVIOUS'], [id('2')]: ['AWSCURRENT', 'green'] },
  };
  const versions = (change: (version: string) => AwsReply): AwsHandler => {
    return (call) => (call.action === 'DescribeSecret' ? ok(described) : change(String(call.input['VersionId'])));
  };
  it('are read by the ids that they had at one moment, each version once', async () => {
    server.handle(versions((version) => ok(entry('db', version, version))));
    expect(shown(await readBoth())).toEqual([id('2'), id('1'), id('2')]);
    expect(server.calls.map((call) => call.action)).toEqual(['DescribeSecret', 'GetSecretValue', 'GetSecretValue']);
  });

  it('are in doubt when the secret is another one by the time of the reading', async () => {
    server.handle(versions((version) => ok({ ...entry('db', version, version), ARN: arn('db', 'XyZ123') })));
    for (const message of messages(await readBoth())) expect(message).toMatch(/changed while it was read/);
  });

  it('are in doubt when a version has gone meanwhile', async () => {
    server.handle(versions(() => awsError('ResourceNotFoundException')));
    expect(shown(await readBoth())).toEqual(['ManagerUnavailable', 'ManagerUnavailable', 'ManagerUnavailable']);
  });

  it('say which permission is missing', async () => {
    server.handle(() => awsError('AccessDeniedException'));
    expect(messages(await readBoth())[0]).toMatch(/secretsmanager:DescribeSecret on db/);
  });
});

describe('a version that is not found', () => {
  const pinned: Selection = { secret: 'db', selector: { kind: 'version', version: id('9') } };

  it('is told from a missing secret by a look at the secret, not by the words of AWS', async () => {
    server.handle((call) =>
      call.action === 'DescribeSecret' ? ok({ ARN: arn('db'), Name: 'db' }) : awsError('ResourceNotFoundException'),
    );
    expect(shown(await readAll([pinned]))).toEqual(['VersionNotFound']);
  });

  it('is in doubt when that look fails', async () => {
    server.handle((call) =>
      call.action === 'DescribeSecret' ? { status: 500, body: '' } : awsError('ResourceNotFoundException'),
    );
    expect(shown(await readAll([pinned]))).toEqual(['ManagerUnavailable']);
  });

  it('costs no call where AWS has no such ids', async () => {
    const found = await readAll([{ secret: 'db', selector: { kind: 'version', version: '3' } }]);
    expect([shown(found), server.calls.length]).toEqual([['VersionNotFound'], 0]);
  });

  it('is not answered by another version', async () => {
    server.handle(() => ok(entry('db', 'other', id('1'))));
    expect(shown(await readAll([pinned]))).toEqual(['ManagerUnavailable']);
  });
});

describe('an identity', () => {
  it('is the version and the last part of the ARN, or a digest of an ARN without one', async () => {
    server.handle(() => ok(entry('db')));
    const [found] = await read('db');
    expect(found).toMatchObject({ identity: `${id('1')}@AbCdEf` });
    server.handle(() => ok({ ...entry('db'), ARN: 'db' }));
    const odd = await readOne('db');
    expect(odd).toHaveProperty('identity', expect.stringMatching(/@[0-9a-f]{8}$/));
  });
});

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
