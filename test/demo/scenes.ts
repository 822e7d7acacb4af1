import type { Terminal } from './terminal.ts';

const first = '11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
const second = '22222222-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
const third = '33333333-cccc-4ccc-8ccc-cccccccccccc';

/** Shows the values of a Secret as they are, which nobody should do outside a demo. */
export function decoded(secret: string): string {
  const template = '{{range $key, $value := .data}}{{$key}}: {{base64decode $value}}{{"\\n"}}{{end}}';
  return `kubectl get secret ${secret} -o go-template='${template}'`;
}

/** What a condition of a reference says. */
export function messageOf(reference: string, condition: string): string {
  return `kubectl get sref ${reference} -o jsonpath='{.status.conditions[?(@.type=="${condition}")].message}'`;
}

/** Two versions of a secret, a manager, and four references that work. */
export async function showFirstSync({ say, run }: Terminal): Promise<void> {
  say(
    'AWS gets a secret with two versions, and another one that is a JSON object. The last argument is the id of the version.',
  );
  await run(`node test/demo/put.ts shop/db.password red-panda ${first}`, [first]);
  await run(`node test/demo/put.ts shop/db.password blue/whale ${second}`, [second]);
  await run(`node test/demo/put.ts shop/db.account '{"user": {"name": "shop@eu"}, "host": "db.internal"}'`);

  say('The platform team says where the secrets are, and which namespace may read which.');
  await run('kubectl apply -f examples/manager.yaml', ['created']);
  await run('kubectl wait csmgr/default --for=condition=Ready --timeout=30s', ['met']);

  say('A team asks for them: the latest version, a pinned one, a property, a template, and one by a wrong name.');
  const files = ['latest', 'pinned', 'property', 'template'].map((name) => `-f examples/${name}.yaml`);
  await run(`kubectl apply ${files.join(' ')}`);
  await run('kubectl wait sref --all --for=condition=Ready --timeout=30s');
  await run('kubectl apply -f examples/wrong-name.yaml', ['created']);
  await run('kubectl wait sref cart-db --for=condition=Ready=False --timeout=30s');
  await run('kubectl get sref', [
    /api-db +True +Synced +False +shop\/db\.password@22222222 /,
    /api-db-pinned +True +Synced +False +shop\/db\.password@11111111 /,
    /api-user +True +Synced +False +shop\/db\.account@/,
    /api-url +True +Synced +False +shop\/db\.account@.* \(\+1\)/,
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
export async function showChange({ say, run }: Terminal): Promise<void> {
  say('A new version of the password.');
  await run(`node test/demo/put.ts shop/db.password green-turtle ${third}`, [third]);
  const follows = `--for=jsonpath='{.status.versions[?(@.secret=="shop/db.password")].version}'=${third}`;
  await run(`kubectl wait sref api-db api-url ${follows} --timeout=30s`, [
    'api-db condition met',
    'api-url condition met',
  ]);
  await run('kubectl get sref api-db', [/api-db +True +Synced .*@33333333 +(?:Waiting|Progressing|Complete) /]);
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
export async function showManager({ say, run }: Terminal): Promise<void> {
  say('Three secrets are asked for, whatever the number of references.');
  await run("kubectl wait csmgr default --for=jsonpath='{.status.referencesInUse}'=6 --timeout=30s");
  await run('kubectl get csmgr', [/default +aws +True +Ready +3 +6 /]);
}
