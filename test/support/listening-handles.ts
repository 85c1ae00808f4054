/** Owns doing to a listening socket of this process what nobody should, to see what becomes of its server. */
import { closeSync } from 'node:fs';
import net from 'node:net';

interface ListeningHandle {
  readonly fd: number;
  onconnection: (status: number, handle: { close(): void } | undefined) => void;
}

/** Finds the server that listens on a port, though its owner gives it to nobody. */
function serverOn(port: number): net.Server {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  const found = handles.find((one): one is net.Server => one instanceof net.Server && portOf(one) === port);
  if (found === undefined) throw new Error(`nobody listens on ${port}`);
  return found;
}

function portOf(server: net.Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}

/** Each takes the listening socket of a port away in another way. */
export const KILLS: Readonly<Record<string, (port: number) => void>> = {
  'is closed': (port) => void serverOn(port).close(),
  'fails at accept': (port) => {
    serverOn(port).emit('error', Object.assign(new Error('accept EINVAL'), { code: 'EINVAL' }));
  },
  'loses its file descriptor': (port) => closeSync(handleOf(port).fd),
};

/** Makes a listener take connections and do nothing with them. Answers with what lets go of those. */
export function wedge(port: number): () => void {
  const taken: ({ close(): void } | undefined)[] = [];
  handleOf(port).onconnection = (_status, handle) => void taken.push(handle);
  return () => {
    for (const handle of taken.splice(0)) handle?.close();
  };
}

function handleOf(port: number): ListeningHandle {
  return (serverOn(port) as unknown as { _handle: ListeningHandle })._handle;
}
