import { isIP } from 'node:net';
import { z } from 'zod';
import { durationExample, parseDuration } from './runtime/duration.ts';
import { safeMessage } from './runtime/errors.ts';
import { describeSettings, type Environment, readFlags, type Settings } from './runtime/flags.ts';
import type { HttpAddress } from './runtime/http-server.ts';
import { logFormats, logLevels } from './runtime/logging.ts';

/** What the operator was told by its flags and its environment. Durations are milliseconds. */
export type Config = z.infer<typeof configSchema>;

/** `--help` or `--version` was asked for: print this and end. */
export interface ConfigText {
  readonly text: string;
}

export interface ConfigInput {
  /** The arguments after the program's own name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Default for `--identity`: different for every start, such as the host name and something random. */
  readonly identity: string;
  readonly version: string;
}

/** The settings are wrong. The message lists every mistake, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly [safeMessage] = true;
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(['the settings are wrong (see --help):', ...mistakes.map((mistake) => `  ${mistake}`)].join('\n'));
    this.mistakes = mistakes;
  }
}

const prefix = 'KEYFERRY';

const settings = {
  kubeconfig: {
    value: '<path>',
    help: 'Kubeconfig of the cluster.',
    otherwise: 'the service account of the pod',
    variable: 'KUBECONFIG',
  },
  namespace: {
    value: '<name>',
    help: "The operator's own namespace: its lease and the credentials of cluster managers are there.",
    fallback: 'keyferry',
    variable: 'POD_NAMESPACE',
  },
  watchNamespaces: {
    value: '<name,...>',
    help: 'Namespaces to work in, separated by commas.',
    fallback: '',
    otherwise: 'all namespaces',
  },
  trustedNamespaceLabels: {
    value: '<key,...>',
    help:
      'Keys of namespace labels that access rules may select by, separated by commas: those that tenants can not set. ' +
      'kubernetes.io/metadata.name always may.',
    fallback: '',
  },
  rollouts: {
    help: 'Roll out the workloads that use a Secret when it changes. Without, no workload is looked at.',
    fallback: 'true',
  },
  maxConcurrentRollouts: {
    value: '<number>',
    help: 'How many workloads are rolled out at once, at most half of them in one namespace. Others wait.',
    fallback: '20',
  },
  rolloutMinInterval: {
    value: '<duration>',
    help: 'Time between two rollouts of one workload. What changes meanwhile is rolled out once, after it.',
    fallback: '30s',
  },
  deleteStuckPods: {
    help: 'Delete pods of a StatefulSet that are not ready on older content and keep it from going on. Needs the right to.',
    fallback: 'false',
  },
  embedded: {
    help: 'Keep secrets in the cluster: the kinds VersionedSecret, SecretVersion, SecretReveal and SecretType. Without, they are not looked at.',
    fallback: 'true',
  },
  concurrency: { value: '<number>', help: 'How many objects of a kind are worked on at once.', fallback: '16' },
  leaderElection: { help: 'Work only while holding the lease, so that replicas take turns.', fallback: 'true' },
  leaseDuration: {
    value: '<duration>',
    help: 'For so long after its last renewal nobody else takes the lease. Whole seconds.',
    fallback: '15s',
  },
  renewDeadline: {
    value: '<duration>',
    help: 'A leader that could not renew the lease for so long gives up. Shorter than the lease duration.',
    fallback: '10s',
  },
  retryPeriod: {
    value: '<duration>',
    help: 'Time between two tries to take or renew the lease. Well shorter than the renew deadline.',
    fallback: '2s',
  },
  identity: { value: '<name>', help: 'Holder of the lease. Unique.', otherwise: 'the host name and a random part' },
  httpAddress: {
    value: '<host:port>',
    help: 'Where /livez, /readyz and /metrics are served. Without a host: on all addresses; port 0: any free one.',
    fallback: ':8080',
  },
  gracePeriod: {
    value: '<duration>',
    help: "How long work in flight may take to finish after SIGTERM. Shorter than the pod's grace period.",
    fallback: '25s',
  },
  logLevel: { value: `<${logLevels.join('|')}>`, help: 'Lowest level that is logged.', fallback: 'info' },
  logFormat: { value: `<${logFormats.join('|')}>`, help: 'Logs for machines or for people.', fallback: 'json' },
  sealingKeysFile: {
    value: '<folder>',
    help:
      'Folder with the sealing keys, mounted: files NAME.agekey, and a file named current with the name of the one in use, else the last by name. ' +
      'With it no key is kept in the cluster, and none is made.',
    otherwise: 'the Secret keyferry-sealing-keys of its own namespace',
  },
  sealingKeysKmsKeyId: {
    value: '<key>',
    help:
      'Key of AWS KMS (id, ARN or alias) that wraps the sealing keys: they are kept in the Secret keyferry-sealing-keys encrypted by it. ' +
      'Not with --sealing-keys-file.',
    otherwise: 'they are kept as they are',
  },
  sealingKeysKmsEndpoint: {
    value: '<url>',
    help: 'Where AWS KMS is: interface endpoints without private DNS, test servers.',
    otherwise: "AWS' own address",
  },
  auditLog: {
    value: '<stdout|stderr|path>',
    help: 'Where the records of what is done with secrets go, as lines of JSON with "stream":"audit".',
    fallback: 'stdout',
  },
  revealTtl: {
    value: '<duration>',
    help: 'Time after which a SecretReveal is deleted, and until which it may be answered. At most 5m.',
    fallback: '60s',
  },
} as const satisfies Settings;

const duration = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch {
    context.addIssue(`must be a duration such as ${durationExample}`);
    return z.NEVER;
  }
});

const positiveDuration = duration.refine((ms) => ms > 0, 'must be longer than 0');

const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

const upToThousand = z
  .string()
  .regex(/^(?:[1-9]\d{0,2}|1000)$/, 'must be a whole number from 1 to 1000')
  .transform(Number);

const namespaceName = z
  .string()
  .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of a namespace: at most 63 of a-z, 0-9 and -');

/** The key of a label. */
export const labelKeyForm = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;

const labelKey = z.string().max(317).regex(labelKeyForm, 'must be keys of labels, such as example.com/team');

/** What a key of AWS KMS can be called: its id, an alias, or the ARN of either. */
export const kmsKeyForm =
  /^(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/|alias\/)?[A-Za-z0-9][A-Za-z0-9/_-]{0,255}$/;

function listOf(item: z.ZodString) {
  return z
    .string()
    .transform((text) => [...new Set(text.split(',').map((part) => part.trim()))].filter((part) => part !== ''))
    .pipe(z.array(item))
    .readonly();
}

const httpAddress = z.string().transform((text, context): HttpAddress => {
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const validHost = bracketed === undefined ? /^[-\w.]*$/.test(plain) : isIP(bracketed) === 6;
  if (port === '' || !validHost || Number(port) > 65_535) {
    context.addIssue('must be host:port or :port, such as 127.0.0.1:8080, [::1]:8080 or :8080');
    return z.NEVER;
  }
  return { host, port: Number(port) };
});

/** Settings that have to go together are compared also where others are wrong, or the message would not list every mistake. */
const always = (): boolean => true;

/** The same of durations: they are numbers as far as they could be read. */
function haveNumbers(...names: readonly (keyof typeof settings)[]) {
  const readable = z.object(Object.fromEntries(names.map((name) => [name, z.number()])));
  return ({ value }: { readonly value: unknown }): boolean => readable.safeParse(value).success;
}

const configSchema = z
  .object({
    kubeconfig: z.string().min(1, 'must be a path').optional(),
    namespace: namespaceName,
    watchNamespaces: listOf(namespaceName),
    trustedNamespaceLabels: listOf(labelKey),
    rollouts: flag,
    maxConcurrentRollouts: upToThousand,
    rolloutMinInterval: duration,
    deleteStuckPods: flag,
    embedded: flag,
    concurrency: upToThousand,
    leaderElection: flag,
    leaseDuration: positiveDuration.refine((ms) => ms % 1_000 === 0, 'must be whole seconds, such as 15s'),
    renewDeadline: positiveDuration,
    retryPeriod: positiveDuration,
    identity: z.string().regex(/^[!-~]{1,253}$/, 'must be 1 to 253 characters of ASCII without spaces'),
    httpAddress,
    gracePeriod: duration,
    logLevel: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`),
    logFormat: z.enum(logFormats, `must be one of ${logFormats.join(', ')}`),
    sealingKeysFile: z.string().regex(/^\//, 'must be an absolute path of a folder').optional(),
    sealingKeysKmsKeyId: z
      .string()
      .regex(kmsKeyForm, 'must be the id, ARN or alias of a KMS key, such as alias/keyferry')
      .optional(),
    sealingKeysKmsEndpoint: z.url({ protocol: /^https?$/, error: 'must be a URL with http:// or https://' }).optional(),
    auditLog: z.string().regex(/^(?:stdout|stderr|.*\/.*)$/, 'must be stdout, stderr or a path with a / in it'),
    revealTtl: duration.refine((ms) => ms >= 1_000 && ms <= 300_000, 'must be from 1s to 5m'),
  } satisfies Record<keyof typeof settings, z.ZodType>)
  .refine(({ leaseDuration, renewDeadline }) => leaseDuration > renewDeadline, {
    path: ['leaseDuration'],
    message: 'must be longer than --renew-deadline',
    when: haveNumbers('leaseDuration', 'renewDeadline'),
  })
  .refine(({ renewDeadline, retryPeriod }) => renewDeadline > retryPeriod * 1.2, {
    path: ['renewDeadline'],
    message: 'must be longer than 1.2 times --retry-period',
    when: haveNumbers('renewDeadline', 'retryPeriod'),
  })
  .refine((config) => config.sealingKeysKmsKeyId === undefined || config.sealingKeysFile === undefined, {
    path: ['sealingKeysKmsKeyId'],
    message: 'goes without --sealing-keys-file: mounted keys are kept elsewhere',
    when: always,
  })
  .refine((config) => config.sealingKeysKmsEndpoint === undefined || config.sealingKeysKmsKeyId !== undefined, {
    path: ['sealingKeysKmsEndpoint'],
    message: 'needs --sealing-keys-kms-key-id',
    when: always,
  })
  .readonly();

/**
 * Reads flags and environment; a flag wins over `KEYFERRY_<NAME>`, that over the usual variables `KUBECONFIG` and `POD_NAMESPACE`.
 * @throws ConfigError that lists every mistake.
 */
export function parseConfig({ argv, env, identity, version }: ConfigInput): Config | ConfigText {
  const { texts, origins, mistakes, asksFor } = readFlags(settings, argv, env, prefix);
  if (asksFor !== undefined) {
    return { text: asksFor === 'help' ? helpText(version) : version };
  }
  const parsed = configSchema.safeParse({ identity, ...Object.fromEntries(texts) });
  if (parsed.success && mistakes.length === 0) {
    return parsed.data;
  }
  const issues = parsed.error?.issues ?? [];
  // Of a setting that is wrong by itself, what it is compared with says nothing more.
  const wrong = new Map(
    issues.toReversed().map(({ path: [setting], message }) => {
      const name = String(setting);
      return [name, `${origins.get(name) ?? name}: ${message}, not ${JSON.stringify(texts.get(name)?.slice(0, 100))}`];
    }),
  );
  throw new ConfigError([...mistakes, ...[...wrong.values()].toReversed()]);
}

function helpText(version: string): string {
  return `Keyferry ${version}: keeps Kubernetes Secrets equal to what SecretReferences ask of secret managers.

Usage: operator [--flag=value ...]

Each flag can be a variable too: --log-level is ${prefix}_LOG_LEVEL. A flag wins over a variable.

${describeSettings(settings)}
  --version
      Shows the version.
  -h, --help
      Shows this text.`;
}
