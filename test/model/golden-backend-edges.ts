/**
 * Owns what the edges of the `backend` and `pool` charts have to do, as reviewed: where they lead and what they ask of the port, in order.
 * `-` is nothing. Refuses to be generated: a new or changed edge is written here by hand.
 */

/** The edges of the `backend` chart for one fate, while there is room. */
export const backendEdges = `
registering
  ready.announced                -> ready(available healthy): announceReady
  drain.request(lost drain)      -> gone: announceGone
  drain.request(operator drain)  -> draining(operator unannounced drain): announceDraining, meetFate(drain)
  drain.request(removed drain)   -> gone: announceGone
  pool.closed                    -> gone: announceGone
ready(available healthy)
  drain.request(backend drain)   -> draining(backend drain): announceDraining, meetFate(drain)
  drain.request(lost drain)      -> draining(lost drain): announceDraining, meetFate(drain)
  drain.request(operator drain)  -> draining(operator drain): announceDraining, meetFate(drain)
  drain.request(removed drain)   -> draining(removed drain): announceDraining, meetFate(drain)
  check.down                     -> ready(available unhealthy): announceUnhealthy
  outlier.found                  -> ready(available ejected): announceEjected
  pool.closed                    -> gone: announceGone
draining(operator unannounced drain)
  ready.announced                -> draining(operator drain): -
  drain.request(backend drain)   -> draining(operator unannounced drain): lookForPairs
  drain.request(lost drain)      -> draining(operator lost drain): lookForPairs
  drain.request(operator drain)  -> draining(operator unannounced drain): lookForPairs
  drain.request(removed drain)   -> draining(removed drain): lookForPairs
  resume.request                 -> registering: -
  pool.closed                    -> gone: announceGone
  after drainTimeout             -> draining(operator unannounced drain): terminatePairs
draining(backend drain)
  ready.announced                -> ready(available healthy): announceReady
  drain.request(backend drain)   -> draining(backend drain): lookForPairs
  drain.request(lost drain)      -> draining(lost drain): lookForPairs
  drain.request(operator drain)  -> draining(operator drain): lookForPairs
  drain.request(removed drain)   -> draining(removed drain): lookForPairs
  resume.request                 -> ready(available healthy): announceReady
  pool.closed                    -> gone: announceGone
  after drainTimeout             -> draining(backend drain): terminatePairs
draining(lost drain)
  ready.announced                -> ready(available healthy): announceReady
  drain.request(backend drain)   -> draining(lost drain): lookForPairs
  drain.request(lost drain)      -> draining(lost drain): lookForPairs
  drain.request(operator drain)  -> draining(operator lost drain): lookForPairs
  drain.request(removed drain)   -> draining(removed drain): lookForPairs
  pairs.gone                     -> gone: announceGone
  pool.closed                    -> gone: announceGone
  after drainTimeout             -> draining(lost drain): terminatePairs
draining(operator drain)
  ready.announced                -> draining(operator drain): -
  drain.request(backend drain)   -> draining(operator drain): lookForPairs
  drain.request(lost drain)      -> draining(operator lost drain): lookForPairs
  drain.request(operator drain)  -> draining(operator drain): lookForPairs
  drain.request(removed drain)   -> draining(removed drain): lookForPairs
  resume.request                 -> ready(available healthy): announceReady
  pool.closed                    -> gone: announceGone
  after drainTimeout             -> draining(operator drain): terminatePairs
draining(removed drain)
  drain.request(backend drain)   -> draining(removed drain): lookForPairs
  drain.request(lost drain)      -> draining(removed drain): lookForPairs
  drain.request(operator drain)  -> draining(removed drain): lookForPairs
  drain.request(removed drain)   -> draining(removed drain): lookForPairs
  pairs.gone                     -> gone: announceGone
  pool.closed                    -> gone: announceGone
  after drainTimeout             -> draining(removed drain): terminatePairs
ready(available unhealthy)
  drain.request(backend drain)   -> draining(backend drain): announceDraining, meetFate(drain)
  drain.request(lost drain)      -> draining(lost drain): announceDraining, meetFate(drain)
  drain.request(operator drain)  -> draining(operator drain): announceDraining, meetFate(drain)
  drain.request(removed drain)   -> draining(removed drain): announceDraining, meetFate(drain)
  check.up                       -> ready(available healthy): announceHealthy
  pool.closed                    -> gone: announceGone
ready(available ejected)
  drain.request(backend drain)   -> draining(backend drain): announceDraining, meetFate(drain)
  drain.request(lost drain)      -> draining(lost drain): announceDraining, meetFate(drain)
  drain.request(operator drain)  -> draining(operator drain): announceDraining, meetFate(drain)
  drain.request(removed drain)   -> draining(removed drain): announceDraining, meetFate(drain)
  check.down                     -> ready(available unhealthy): announceUnhealthy
  ejection.lifted                -> ready(available healthy): announceHealthy
  pool.closed                    -> gone: announceGone
  after ejectionTime             -> ready(available trial.trying): beginTrial
draining(operator lost drain)
  ready.announced                -> draining(operator drain): -
  drain.request(backend drain)   -> draining(operator lost drain): lookForPairs
  drain.request(lost drain)      -> draining(operator lost drain): lookForPairs
  drain.request(operator drain)  -> draining(operator lost drain): lookForPairs
  drain.request(removed drain)   -> draining(removed drain): lookForPairs
  resume.request                 -> draining(lost drain): lookForPairs
  pool.closed                    -> gone: announceGone
  after drainTimeout             -> draining(operator lost drain): terminatePairs
ready(available trial.trying)
  drain.request(backend drain)   -> draining(backend drain): announceDraining, meetFate(drain)
  drain.request(lost drain)      -> draining(lost drain): announceDraining, meetFate(drain)
  drain.request(operator drain)  -> draining(operator drain): announceDraining, meetFate(drain)
  drain.request(removed drain)   -> draining(removed drain): announceDraining, meetFate(drain)
  check.down                     -> ready(available unhealthy): announceUnhealthy
  trial.connected                -> ready(available trial.proving): -
  trial.failed                   -> ready(available ejected): announceEjected
  ejection.lifted                -> ready(available healthy): announceHealthy
  pool.closed                    -> gone: announceGone
ready(available trial.proving)
  drain.request(backend drain)   -> draining(backend drain): announceDraining, meetFate(drain)
  drain.request(lost drain)      -> draining(lost drain): announceDraining, meetFate(drain)
  drain.request(operator drain)  -> draining(operator drain): announceDraining, meetFate(drain)
  drain.request(removed drain)   -> draining(removed drain): announceDraining, meetFate(drain)
  check.down                     -> ready(available unhealthy): announceUnhealthy
  trial.failed                   -> ready(available ejected): announceEjected
  ejection.lifted                -> ready(available healthy): announceHealthy
  pool.closed                    -> gone: announceGone
  after provingTime              -> ready(available healthy): announceHealthy
`;

/** The edges of the `pool` chart. */
export const poolEdges = `
empty
  backends.unavailable           -> unavailable: refuseWaiting
  backends.full                  -> full: -
  backends.available             -> available: serveWaiting
  pool.closed                    -> closed: refuseWaiting
unavailable
  backends.none                  -> empty: refuseWaiting
  backends.full                  -> full: -
  backends.available             -> available: serveWaiting
  pool.closed                    -> closed: refuseWaiting
full
  backends.none                  -> empty: refuseWaiting
  backends.unavailable           -> unavailable: refuseWaiting
  backends.available             -> available: serveWaiting
  pool.closed                    -> closed: refuseWaiting
available
  backends.none                  -> empty: refuseWaiting
  backends.unavailable           -> unavailable: refuseWaiting
  backends.full                  -> full: -
  pool.closed                    -> closed: refuseWaiting
`;
