// Owns what runs inside the browser: WebSockets by number, and everything they saw. Refuses to judge.

const clients = [];

function entry(value) {
  if (typeof value === 'string') return { text: value };
  return { bytes: value.byteLength, sum: new Uint8Array(value).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7) };
}

// Opens a WebSocket; resolves with its number, and whether it opened or how it was refused.
globalThis.openSocket = (url, protocols) =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    const client = { socket, messages: [], waiting: [], errors: 0 };
    const number = clients.push(client) - 1;
    client.closed = new Promise((settle) => {
      socket.onclose = ({ code, reason, wasClean }) => {
        const ended = { code, reason, wasClean, errors: client.errors };
        settle(ended);
        resolve({ number, opened: false, ended });
      };
    });
    socket.onerror = () => {
      client.errors += 1;
    };
    socket.onmessage = ({ data }) => {
      const waiting = client.waiting.shift();
      if (waiting) waiting(entry(data));
      else client.messages.push(entry(data));
    };
    socket.onopen = () =>
      resolve({ number, opened: true, protocol: socket.protocol, extensions: socket.extensions, url: socket.url });
  });

globalThis.sendText = (number, text) => clients[number].socket.send(text);

// Sends bytes that count up, and answers with what they are.
globalThis.sendBytes = (number, length) => {
  const bytes = new Uint8Array(length).map((_, index) => index);
  clients[number].socket.send(bytes.buffer);
  return entry(bytes.buffer);
};

globalThis.nextMessage = (number) => {
  const client = clients[number];
  const message = client.messages.shift();
  return message ?? new Promise((resolve) => client.waiting.push(resolve));
};

globalThis.closeSocket = (number, code, reason) => {
  clients[number].socket.close(code, reason);
  return clients[number].closed;
};

globalThis.whenClosed = (number) => clients[number].closed;
