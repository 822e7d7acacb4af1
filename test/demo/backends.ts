/** The secrets of which the demo puts several versions, one after the other. */
type Rotated = 'shop/db.password' | 'shop/orders.password';

/** What differs between the managers that the demo can be shown on. */
export interface Backend {
  /** Manifests of the manager, and of a reference to the first version of `shop/db.password`. */
  readonly files: { readonly manager: string; readonly pinned: string };
  /** The ids of the versions that are put, in order. */
  readonly ids: Readonly<Record<Rotated, readonly string[]>>;
  /** How `kubectl get sref` shows an id. */
  shown(id: string): string;
  /** The command that puts the version `id`, which it prints. The first version makes the secret. */
  put(secret: string, value: string, id: string): string;
  /** What `kubectl get csmgr` shows of the kind of manager. */
  readonly backend: string;
  readonly intro: string;
}

/** UUIDs of AWS: the demo chooses them, so that they can be told from one another. */
const aws: Backend = {
  files: { manager: 'examples/manager.yaml', pinned: 'examples/pinned.yaml' },
  ids: {
    'shop/db.password': [
      '11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
      '22222222-bbbb-4bbb-8bbb-bbbbbbbbbbbb',
      '33333333-cccc-4ccc-8ccc-cccccccccccc',
    ],
    'shop/orders.password': ['44444444-dddd-4ddd-8ddd-dddddddddddd', '55555555-eeee-4eee-8eee-eeeeeeeeeeee'],
  },
  shown: (id) => id.slice(0, 8),
  put: (secret, value, id) => `node test/demo/put.ts ${secret} '${value}' ${id}`.trimEnd(),
  backend: 'aws',
  intro:
    'AWS gets a secret with two versions, and another one that is a JSON object. The last argument is the id of the version.',
};

const embedded: Backend = {
  files: { manager: 'examples/embedded/manager.yaml', pinned: 'examples/embedded/pinned.yaml' },
  ids: { 'shop/db.password': ['1', '2', '3'], 'shop/orders.password': ['1', '2'] },
  shown: (id) => id,
  put: (secret, value, id) =>
    `printf '%s' '${value}' | keyferry put ${secret}${id === '1' || id === '' ? ' --create' : ''}`,
  backend: 'embedded',
  intro: 'Somebody puts a secret, and a second version of it, and another one that is a JSON object.',
};

const backends = { aws, embedded } as const;

/** @throws Error for a name that no manager of the demo has */
export function backendOf(name: string): Backend {
  if (name === 'aws' || name === 'embedded') return backends[name];
  throw new Error(`MANAGER=${name} is none that the demo can be shown on: leave it out, or write MANAGER=aws`);
}
