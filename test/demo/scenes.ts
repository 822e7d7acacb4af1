import type { Backend } from './backends.ts';
import type { Terminal } from './terminal.ts';

/** Shows the values of a Secret as they are, which nobody should do outside a demo. */
export function decoded(secret: string): string {
  const template = '{{range $key, $value := .data}}{{$key}}: {{base64decode $value}}{{"\\n"}}{{end}}';
  return `kubectl get secret ${secret} -o go-template='${template}'`;
}

/** What a condition of a reference says. */
export function messageOf(reference: string, condition: string): string {
  return `kubectl get sref ${reference} -o jsonpath='{.status.conditions[?(@.type=="${condition}")].message}'`;
}

/** A row of `kubectl get sref`. */
function row(reference: string, version: string, more = ''): RegExp {
  return new RegExp(`${reference} +True +Synced +False +${version.replaceAll('.', String.raw`\.`)}${more} `);
}

/** A manager, two versions of a secret, and four references that work. */
export async function showFirstSync({ say, run }: Terminal, backend: Backend): Promise<void> {
  const [first = '', second = ''] = backend.ids['shop/db.password'];
  say('The platform team says where the secrets are.');
  await run(`kubectl apply -f ${backend.files.manager}`, ['created']);
  await run('kubectl wait csmgr/default --for=condition=Ready --timeout=30s', ['met']);

  say(backend.intro);
  await run(backend.put('shop/db.password', 'red-panda', first), [first]);
  await run(backend.put('shop/db.password', 'blue/whale', second), [second]);
  await run(backend.put('shop/db.account', '{"user": {"name": "shop@eu"}, "host": "db.internal"}', ''));

  say('A team asks for them: the latest version, a pinned one, a property, a template, and one by a wrong name.');
  const files = ['latest', 'property', 'template'].map((name) => `-f examples/${name}.yaml`);
  await run(`kubectl apply ${files.join(' ')} -f ${backend.files.pinned}`);
  await run('kubectl wait sref --all --for=condition=Ready --timeout=30s');
  await run('kubectl apply -f examples/wrong-name.yaml', ['created']);
  await run('kubectl wait sref cart-db --for=condition=Ready=False --timeout=30s');
  await run('kubectl get sref', [
    row('api-db', `shop/db.password@${backend.shown(second)}`),
    row('api-db-pinned', `shop/db.password@${backend.shown(first)}`),
    row('api-user', 'shop/db.account@', String.raw`\w+`),
    row('api-url', 'shop/db.account@', String.raw`\w+ \(\+1\)`),
    /cart-db +False +SecretNotFound/,
  ]);

  say('These are ordinary Secrets.');
  await run(decoded('api-db'), ['password: blue/whale']);
  await run(decoded('api-db-pinned'), ['password: red-panda']);
  await run(decoded('api-user'), ['username: shop@eu']);
  await run(decoded('api-url'), ['url: postgres://shop%40eu:blue%2Fwhale@db.internal/shop']);
}

/** What a person finds who wonders why cart-db does not work. */
export async function showBroken({ say, run }: Terminal): Promise<void> {
  say('One of them did not work. It says why, and what to do.');
  await run(messageOf('cart-db', 'Ready'), ['shop/db.pasword', 'Did you mean shop/db.password?']);
  await run('kubectl events --for sref/cart-db', [/Warning +SecretNotFound +SecretReference\/cart-db/]);
}

/** A new version: who asked for the latest gets it, who pinned one does not. */
export async function showChange({ say, run }: Terminal, backend: Backend): Promise<void> {
  const third = backend.ids['shop/db.password'][2] ?? '';
  say('A new version of the password.');
  await run(backend.put('shop/db.password', 'green-turtle', third), [third]);
  const follows = `--for=jsonpath='{.status.versions[?(@.secret=="shop/db.password")].version}'=${third}`;
  await run(`kubectl wait sref api-db api-url ${follows} --timeout=30s`, [
    'api-db condition met',
    'api-url condition met',
  ]);
  const states = '(?:Waiting|Progressing|Complete)';
  await run('kubectl get sref api-db', [new RegExp(`api-db +True +Synced .*@${backend.shown(third)} +${states} `)]);
  await run(decoded('api-db'), ['password: green-turtle']);
  await run(decoded('api-url'), ['url: postgres://shop%40eu:green-turtle@db.internal/shop']);
  await run(decoded('api-db-pinned'), ['password: red-panda']);
}

/** The wrong name is corrected. */
export async function showRepair({ say, run }: Terminal): Promise<void> {
  say('The wrong name is corrected.');
  const patch = '{"spec": {"data": {"password": {"secret": "shop/db.password"}}}}';
  await run(`kubectl patch sref cart-db --type=merge -p '${patch}'`, ['patched']);
  await run('kubectl wait sref cart-db --for=condition=Ready --timeout=30s', ['met']);
  await run(decoded('cart-db'), ['password: green-turtle']);
  await run('kubectl get sref', [/cart-db +True +Synced/]);
}

/** What the platform team sees of it. */
export async function showManager({ say, run }: Terminal, { backend }: Backend): Promise<void> {
  say('Three secrets are asked for, whatever the number of references.');
  await run("kubectl wait csmgr default --for=jsonpath='{.status.referencesInUse}'=6 --timeout=30s");
  await run('kubectl get csmgr', [new RegExp(`default +${backend} +True +Ready +3 +6 `)]);
}

/** Secrets that all share: another manager keeps them in a namespace of their own. */
export async function showScopes({ say, run }: Terminal): Promise<void> {
  say('What the whole organisation shares is in a namespace of its own. Its manager says who may read what.');
  await run('kubectl apply -f examples/embedded/organisation.yaml', ['namespace/org-secrets created']);
  await run('kubectl wait csmgr/org --for=condition=Ready --timeout=30s', ['met']);
  await run("printf '%s' 'mail-password' | keyferry put smtp.password --create -n org-secrets", ['is latest']);
  await run('kubectl apply -f examples/embedded/shared.yaml', ['created']);
  await run('kubectl wait sref mail --for=condition=Ready --timeout=30s', ['met']);
  await run(decoded('mail'), ['password: mail-password']);
}

/** What people do with secrets that are kept in the cluster. */
export async function showPeople({ say, run }: Terminal): Promise<void> {
  say(
    'Who may, lists secrets and sees who uses them. Values are never shown, unless somebody asks for one and says why.',
  );
  await run('keyferry list', [/shop\/db\.password +- +3 /]);
  await run('keyferry reveal shop/db.password --reason "check the new database" -o raw', ['green-turtle']);

  say('What is in use can not be deleted, not even by an administrator.');
  const object = `$(kubectl get vsec -o jsonpath='{.items[?(@.spec.name=="shop/db.password")].metadata.name}')`;
  await run(`kubectl delete vsec "${object}" 2>&1 || true`, ['is used by', 'denied']);

  say('All of it stands in the audit log.');
  await run('keyferry audit shop/db.password', [/reveal +3 /, /put +1 /]);
}
