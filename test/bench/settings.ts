import { z } from 'zod';

const count = z.coerce.number().int().min(1);

const shape = {
  /** How many SecretReferences there are. */
  REFERENCES: count.max(50_000).default(1_000),
  /** How many secrets they share. With PHASES=rollouts it is one. */
  SECRETS: count.max(10_000).default(200),
  /** How many secrets get a new version, one after another. */
  ROTATIONS: count.default(20),
  /** Over how many seconds those are spread by chance: two poll intervals, so that none is favoured. */
  ROTATION_SECONDS: count.default(60),
  IDLE_SECONDS: count.default(60),
  /** How many Deployments consume the target of a reference each. No more than can be rolled out at once. */
  DEPLOYMENTS: count.max(1_000).default(100),
  /** How many Deployments there are that consume none. */
  IDLE_DEPLOYMENTS: count.max(50_000).default(1_000),
  /** With PHASES=embedded, which has as many SECRETS: how many versions each of them gets, over how many namespaces they are spread. */
  VERSIONS: count.max(100).default(5),
  NAMESPACES: count.max(1_000).default(10),
  /** Bytes of each value. */
  VALUE_BYTES: count.min(16).max(524_288).default(32),
  /** How many puts are timed until a native Secret holds the value. */
  PUTS: count.default(100),
  /** `cold` alone for a profile of it, `rollouts` for what Deployments cost, `embedded` for secrets in the cluster; by default the four phases without them. */
  PHASES: z.enum(['cold', 'all', 'rollouts', 'embedded']).default('all'),
  /** Added to the options of the operator's Node, for experiments and profiles. */
  OPERATOR_NODE_OPTIONS: z.string().default(''),
};

const settingsSchema = z
  .object(shape)
  .transform((settings) => (settings.PHASES === 'rollouts' ? { ...settings, SECRETS: 1, ROTATIONS: 1 } : settings))
  .refine(
    ({ PHASES, SECRETS, REFERENCES }) => PHASES === 'embedded' || SECRETS <= REFERENCES,
    'SECRETS must not be more than REFERENCES',
  )
  .refine(
    ({ PHASES, SECRETS, ROTATIONS }) => PHASES === 'embedded' || ROTATIONS <= SECRETS,
    'ROTATIONS must not be more than SECRETS',
  )
  .refine(
    ({ PHASES, DEPLOYMENTS, REFERENCES }) => PHASES !== 'rollouts' || DEPLOYMENTS <= REFERENCES,
    'DEPLOYMENTS must not be more than REFERENCES',
  );

export type BenchSettings = z.infer<typeof settingsSchema>;

/** Reads the settings from the environment and from arguments of the form `NAME=value`, which win. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): BenchSettings {
  const pairs = argv.map((text): [string, string] => {
    const at = text.indexOf('=');
    return [text.slice(0, at), text.slice(at + 1)];
  });
  const unknown = pairs.find(([name]) => !Object.hasOwn(shape, name));
  if (unknown !== undefined) {
    throw new Error(`unknown setting ${unknown[0]}: there are ${Object.keys(shape).join(', ')}`);
  }
  const known = Object.keys(shape).map((name): [string, string | undefined] => [name, env[name]]);
  const parsed = settingsSchema.safeParse(Object.fromEntries([...known, ...pairs]));
  if (!parsed.success) {
    throw new Error(z.prettifyError(parsed.error));
  }
  return parsed.data;
}
