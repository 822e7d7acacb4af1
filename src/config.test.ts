import { describe, expect, it } from 'vitest';
import { type Config, ConfigError, parseConfig } from './config.ts';

function parse(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
  return parseConfig({ argv, env, identity: 'host_1234', version: '1.2.3' });
}

function config(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Config {
  const parsed = parse(argv, env);
  if ('text' in parsed) {
    throw new Error('settings were expected and a text was given');
  }
  return parsed;
}

function mistakes(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): readonly string[] {
  try {
    parse(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.mistakes;
    }
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it('have a default each', () => {
    expect(config([])).toEqual({
      namespace: 'keyferry',
      watchNamespaces: [],
      trustedNamespaceLabels: [],
      rollouts: true,
      maxConcurrentRollouts: 20,
      rolloutMinInterval: 30_000,
      deleteStuckPods: false,
      embedded: true,
      concurrency: 16,
      leaderElection: true,
      leaseDuration: 15_000,
      renewDeadline: 10_000,
      retryPeriod: 2_000,
      identity: 'host_1234',
      httpAddress: { host: '', port: 8080 },
      gracePeriod: 25_000,
      logLevel: 'info',
      logFormat: 'json',
      auditLog: 'stdout',
      revealTtl: 60_000,
    });
  });

  it('are read from flags, with = or a space', () => {
    const read = config([
      '--kubeconfig',
      '/etc/kubeconfig',
      '--watch-namespaces=shop, cart,shop,',
      '--trusted-namespace-labels=team,example.com/tier',
      '--rollouts=false',
      '--max-concurrent-rollouts=5',
      '--rollout-min-interval',
      '0s',
      '--delete-stuck-pods',
      '--embedded=false',
      '--concurrency=4',
      '--leader-election=false',
      '--lease-duration=1m',
      '--renew-deadline=40s',
      '--retry-period=500ms',
      '--identity=me',
      '--http-address=[::1]:0',
      '--grace-period=0s',
      '--log-level',
      'debug',
      '--log-format=text',
      '--sealing-keys-file=/etc/keyferry/keys',
      '--audit-log=/var/log/audit.jsonl',
      '--reveal-ttl=2s',
    ]);
    expect(read).toEqual({
      kubeconfig: '/etc/kubeconfig',
      namespace: 'keyferry',
      watchNamespaces: ['shop', 'cart'],
      trustedNamespaceLabels: ['team', 'example.com/tier'],
      rollouts: false,
      maxConcurrentRollouts: 5,
      rolloutMinInterval: 0,
      deleteStuckPods: true,
      embedded: false,
      concurrency: 4,
      leaderElection: false,
      leaseDuration: 60_000,
      renewDeadline: 40_000,
      retryPeriod: 500,
      identity: 'me',
      httpAddress: { host: '::1', port: 0 },
      gracePeriod: 0,
      logLevel: 'debug',
      logFormat: 'text',
      sealingKeysFile: '/etc/keyferry/keys',
      auditLog: '/var/log/audit.jsonl',
      revealTtl: 2_000,
    });
  });

  it('take a flag over the variable of the same name, and that over the usual variable', () => {
    const env = { POD_NAMESPACE: 'pod', KUBECONFIG: '/usual', KEYFERRY_KUBECONFIG: '/own', KEYFERRY_LOG_LEVEL: 'warn' };
    expect(config(['--log-level=error'], env)).toMatchObject({
      namespace: 'pod',
      kubeconfig: '/own',
      logLevel: 'error',
    });
  });

  it('take an empty variable for one that is not set', () => {
    const env = { KEYFERRY_NAMESPACE: '', POD_NAMESPACE: 'pod', KEYFERRY_CONCURRENCY: '' };
    expect(config([], env)).toMatchObject({ namespace: 'pod', concurrency: 16 });
  });

  it('ignore variables that Kubernetes sets for services', () => {
    expect(mistakes([], { KEYFERRY_PORT: 'tcp://10.0.0.1:8080', KEYFERRY_SERVICE_HOST: '10.0.0.1' })).toEqual([]);
  });

  it('can be switched on by a flag without a value', () => {
    expect(config(['--leader-election'], { KEYFERRY_LEADER_ELECTION: 'false' }).leaderElection).toBe(true);
  });

  it('take the last of several', () => {
    expect(config(['--concurrency=1', '--concurrency=2']).concurrency).toBe(2);
  });
});

describe('wrong settings', () => {
  it('are all listed, each with where it comes from and what is expected', () => {
    expect(mistakes(['--concurency=4', '--lease-duration=soon', 'run'], { KEYFERRY_LOG_LEVEL: 'loud' })).toEqual([
      '--concurency: there is no such flag, did you mean --concurrency?',
      'unexpected argument "run": write flags as --name=value',
      '--lease-duration: must be a duration such as 500ms, 30s, 10m or 1h30m, not "soon"',
      'KEYFERRY_LOG_LEVEL: must be one of debug, info, warn, error, not "loud"',
    ]);
  });

  it.each<readonly [together: readonly string[], of: readonly string[]]>([
    [
      ['--lease-duration=5s', '--log-level=trace'],
      ['--lease-duration: must be longer than', '--log-level: must be'],
    ],
    [
      ['--renew-deadline=1s', '--log-level=trace'],
      ['--renew-deadline: must be longer than', '--log-level: must be'],
    ],
    [
      ['--log-level=trace', '--sealing-keys-file=/keys', '--sealing-keys-kms-key-id=alias/keyferry'],
      ['--log-level: must be', '--sealing-keys-kms-key-id: goes without'],
    ],
    [
      ['--log-level=trace', '--sealing-keys-kms-endpoint=https://kms.example.com'],
      ['--log-level: must be', '--sealing-keys-kms-endpoint: needs'],
    ],
    [['--lease-duration=1500ms'], ['--lease-duration: must be whole seconds']],
    [['--renew-deadline=soon', '--lease-duration=1s'], ['--renew-deadline: must be a duration']],
  ])('are all listed where some are wrong only together: %j', (argv, expected) => {
    const found = mistakes(argv);

    expect(found).toHaveLength(expected.length);
    for (const each of expected) expect(found.join('\n')).toContain(each);
  });

  it('make one message of a line for each mistake', () => {
    expect(() => parse(['--concurrency=0', '--verbose'])).toThrow(
      new ConfigError([
        '--verbose: there is no such flag, see --help',
        '--concurrency: must be a whole number from 1 to 1000, not "0"',
      ]),
    );
  });

  it.each([
    ['--concurrency=1001', 'whole number'],
    ['--concurrency=1.5', 'whole number'],
    ['--concurrency=0x10', 'whole number'],
    ['--namespace=Shop', 'name of a namespace'],
    ['--namespace=', 'name of a namespace'],
    ['--watch-namespaces=shop,team-*', 'name of a namespace'],
    ['--trusted-namespace-labels=a b', 'keys of labels'],
    ['--rollouts=no', 'true or false'],
    ['--leader-election=yes', 'true or false'],
    ['--lease-duration=15500ms', 'whole seconds'],
    ['--lease-duration=10s', 'longer than --renew-deadline'],
    ['--renew-deadline=2s', '1.2 times --retry-period'],
    ['--retry-period=0s', 'longer than 0'],
    ['--identity=a b', 'without spaces'],
    ['--kubeconfig=', 'path'],
    ['--http-address=8080', 'host:port'],
    ['--http-address=:65536', 'host:port'],
    ['--http-address=::1:80', 'host:port'],
    ['--http-address=[localhost]:80', 'host:port'],
    ['--log-format=xml', 'one of json, text'],
    ['--sealing-keys-file=keys', 'must be an absolute path of a folder'],
    ['--sealing-keys-kms-key-id=my key', 'id, ARN or alias of a KMS key'],
    ['--sealing-keys-kms-key-id=arn:aws:s3:::bucket', 'id, ARN or alias of a KMS key'],
    ['--sealing-keys-kms-endpoint=https://kms.example.com', 'needs --sealing-keys-kms-key-id'],
    ['--audit-log=sdtout', 'stdout, stderr or a path'],
    ['--reveal-ttl=1h', 'from 1s to 5m'],
    ['--log-level', 'needs a value, --log-level=<debug|info|warn|error>'],
    ['-v', 'no such flag'],
    ['--__proto__=1', 'no such flag'],
    ['--constructor=1', 'no such flag'],
  ])('are refused: %s', (flag, expected) => {
    const found = mistakes([flag]);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('are refused where two ask for the sealing keys to be kept in two ways', () => {
    const [mistake] = mistakes(['--sealing-keys-file=/keys', '--sealing-keys-kms-key-id=alias/keyferry']);
    expect(mistake).toContain('--sealing-keys-kms-key-id: goes without --sealing-keys-file');
  });

  it.each([
    '1234abcd-12ab-34cd-56ef-1234567890ab',
    'mrk-1234abcd12ab34cd56ef1234567890ab',
    'alias/keyferry',
    'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/keyferry/keys',
  ])('may name a KMS key by %s', (key) => {
    expect(config(['--kubeconfig=x', `--sealing-keys-kms-key-id=${key}`]).sealingKeysKmsKeyId).toBe(key);
  });

  it('are refused where a flag stands in place of a value', () => {
    expect(mistakes(['--kubeconfig', '--log-level=debug'])[0]).toBe('--kubeconfig: needs a value, --kubeconfig=<path>');
  });
});

describe('the help text', () => {
  it.each([['--help'], ['-h'], ['--nonsense', '--help', '--version']])('is given for %s', (...argv) => {
    expect(parse(argv)).toHaveProperty('text');
  });

  it('names each setting, its default and its variables, in lines of at most 100 characters', () => {
    const parsed = parse(['--help']);
    const text = 'text' in parsed ? parsed.text : '';
    const flags = Object.keys(config(['--kubeconfig=x'])).map(
      (name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    );
    expect(flags.filter((flag) => !text.includes(`  ${flag}`))).toEqual([]);
    expect(text).toContain('(also from POD_NAMESPACE; default: keyferry)');
    expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });

  it('is the version for --version', () => {
    expect(parse(['--version'])).toEqual({ text: '1.2.3' });
  });
});
