/** Owns what is spoken with backends: WebSocket, or plain bytes. All of one balancer speak the same. */

/** What a backend speaks. */
export type Speech = 'websocket' | 'bytes';

/** What is spoken with a backend of this address, or with those that are found by it. */
export function speechOfUrl(url: string): Speech {
  return /^(?:srv\+)?wss?:/i.test(url) ? 'websocket' : 'bytes';
}

/** What all backends of a balancer speak: what the first one does that its options name. */
export function speechOf({
  backends: [first],
  discovery: { names },
}: {
  readonly backends: readonly { readonly url: string }[];
  readonly discovery: { readonly names: readonly string[] };
}): Speech {
  const url = first?.url ?? names[0];
  return url === undefined ? 'websocket' : speechOfUrl(url);
}
