// Makes calls with the JavaScript SDK, one after the other, and prints their answers as JSON.
//   node call.mjs ENDPOINT < [{"service", "command", "input"}, …]
// An answer is {"output"} or {"error", "message"}.
import { readFileSync } from 'node:fs';

const endpoint = process.argv[2];
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

async function call({ service, command, input }) {
  const sdk = await import(`@aws-sdk/client-${service.toLowerCase()}`);
  const client = new sdk[`${service}Client`]({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  try {
    const { $metadata, ...output } = await client.send(new sdk[`${command}Command`](input));
    return { output };
  } catch (error) {
    return { error: error.name, message: error.message };
  } finally {
    client.destroy();
  }
}

const answers = [];
for (const each of JSON.parse(readFileSync(0, 'utf8'))) {
  answers.push(await call(each));
}
process.stdout.write(JSON.stringify(answers));
