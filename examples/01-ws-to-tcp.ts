/** Puts a TCP service within reach of a browser: what `tidegate proxy` does, in code. */
import { ProxyServer } from 'tidegate';

export async function start(port: number, target: string): Promise<ProxyServer> {
  const proxy = new ProxyServer({ listen: `127.0.0.1:${port}`, target });
  await proxy.start();
  return proxy;
}

if (process.argv[1] === import.meta.filename) {
  const target = process.env.TARGET ?? 'tcp://127.0.0.1:5900';
  const proxy = await start(Number(process.env.PORT ?? 6080), target);
  console.log(`${proxy.addresses[0]?.url} forwards to ${target}`);
}
