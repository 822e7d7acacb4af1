// Run by `helm test`: the operator is ready and tells its metrics.
const operator = process.env.OPERATOR_URL;

async function answerOf(path, expected) {
  const answer = await fetch(`${operator}${path}`, { signal: AbortSignal.timeout(5_000) });
  const text = await answer.text();
  if (!answer.ok || !text.includes(expected)) throw new Error(`${path} says ${answer.status}: ${text.slice(0, 500)}`);
}

async function eventually(path, expected) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await answerOf(path, expected);
      console.log(`${operator}${path} is as it should be`);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

await eventually('/readyz', 'ok');
await eventually('/metrics', 'keyferry_references');
