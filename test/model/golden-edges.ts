/**
 * Owns what every edge of every chart has to do, as reviewed: where it leads and what it asks of the port, in order.
 * `-` is nothing. Refuses to be generated: a new or changed edge is written here by hand.
 */

/** The edges of the `connection` chart. */
export const connectionEdges = `
handshaking.deciding
  decision.accept(none)         -> open(flowing reading alive): acceptUpgrade, openGate, deliverOpen
  decision.accept(before-accept) -> handshaking.dialling: dial
  decision.accept(after-accept) -> open(flowing paused suspended): dial, acceptUpgrade, openGate, deliverOpen, pauseReading
  decision.reject               -> rejected: refuse
  upstream.failed               -> rejected: refuse
  receiver.failed               -> rejected: refuse
  close.request                 -> rejected: refuse
  terminate.request             -> rejected: refuse
  transport.closed              -> rejected: refuse
  after handshakeTimeout        -> rejected: expireHandshake, refuse
handshaking.dialling
  decision.reject               -> rejected: refuse
  upstream.ready                -> open(flowing reading alive): acceptUpgrade, openGate, deliverOpen
  upstream.failed               -> rejected: refuse
  receiver.failed               -> rejected: refuse
  close.request                 -> rejected: refuse
  terminate.request             -> rejected: refuse
  transport.closed              -> rejected: refuse
  after handshakeTimeout        -> rejected: expireHandshake, refuse
open(flowing reading alive)
  upstream.failed               -> closing 1014 UPSTREAM_REFUSED: shutGate, sendClose(1014 UPSTREAM_REFUSED)
  receiver.failed               -> closing 1011 RECEIVER_FAILED: shutGate, sendClose(1011 RECEIVER_FAILED)
  close.request                 -> closing 1001 disconnected: shutGate, sendClose(1001 disconnected)
  terminate.request             -> closed 1006 terminated: shutGate, terminate, deliverClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: shutGate, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: shutGate, sendClose(1002 PROTOCOL_ERROR)
  idle.expired                  -> closing 1001 IDLE_TIMEOUT: shutGate, sendClose(1001 IDLE_TIMEOUT)
  lifetime.expired              -> closing 1001 LIFETIME_EXCEEDED: shutGate, sendClose(1001 LIFETIME_EXCEEDED)
  transport.closed              -> closed 1006 CONNECTION_RESET: shutGate, deliverClosed(1006 CONNECTION_RESET)
  pressure.high                 -> open(throttled reading alive): deliverThrottled
  read.pause                    -> open(flowing paused suspended): pauseReading
  heartbeat.due                 -> open(flowing reading probing): sendPing
open(flowing paused suspended)
  upstream.failed               -> closing 1014 UPSTREAM_REFUSED: resumeReading, shutGate, sendClose(1014 UPSTREAM_REFUSED)
  receiver.failed               -> closing 1011 RECEIVER_FAILED: resumeReading, shutGate, sendClose(1011 RECEIVER_FAILED)
  close.request                 -> closing 1001 disconnected: resumeReading, shutGate, sendClose(1001 disconnected)
  terminate.request             -> closed 1006 terminated: resumeReading, shutGate, terminate, deliverClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: resumeReading, shutGate, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: resumeReading, shutGate, sendClose(1002 PROTOCOL_ERROR)
  idle.expired                  -> closing 1001 IDLE_TIMEOUT: resumeReading, shutGate, sendClose(1001 IDLE_TIMEOUT)
  lifetime.expired              -> closing 1001 LIFETIME_EXCEEDED: resumeReading, shutGate, sendClose(1001 LIFETIME_EXCEEDED)
  transport.closed              -> closed 1006 CONNECTION_RESET: resumeReading, shutGate, deliverClosed(1006 CONNECTION_RESET)
  pressure.high                 -> open(throttled paused suspended): deliverThrottled
  read.resume                   -> open(flowing reading alive): resumeReading
open(throttled reading alive)
  upstream.failed               -> closing 1014 UPSTREAM_REFUSED: shutGate, sendClose(1014 UPSTREAM_REFUSED)
  receiver.failed               -> closing 1011 RECEIVER_FAILED: shutGate, sendClose(1011 RECEIVER_FAILED)
  close.request                 -> closing 1001 disconnected: shutGate, sendClose(1001 disconnected)
  terminate.request             -> closed 1006 terminated: shutGate, terminate, deliverClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: shutGate, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: shutGate, sendClose(1002 PROTOCOL_ERROR)
  idle.expired                  -> closing 1001 IDLE_TIMEOUT: shutGate, sendClose(1001 IDLE_TIMEOUT)
  lifetime.expired              -> closing 1001 LIFETIME_EXCEEDED: shutGate, sendClose(1001 LIFETIME_EXCEEDED)
  transport.closed              -> closed 1006 CONNECTION_RESET: shutGate, deliverClosed(1006 CONNECTION_RESET)
  pressure.low                  -> open(flowing reading alive): deliverUnthrottled
  write.progressed              -> open(throttled reading alive): -
  read.pause                    -> open(throttled paused suspended): pauseReading
  heartbeat.due                 -> open(throttled reading probing): sendPing
  after writeStallTimeout       -> closing 1008 WRITE_STALLED: shutGate, sendClose(1008 WRITE_STALLED)
open(flowing reading probing)
  upstream.failed               -> closing 1014 UPSTREAM_REFUSED: shutGate, sendClose(1014 UPSTREAM_REFUSED)
  receiver.failed               -> closing 1011 RECEIVER_FAILED: shutGate, sendClose(1011 RECEIVER_FAILED)
  close.request                 -> closing 1001 disconnected: shutGate, sendClose(1001 disconnected)
  terminate.request             -> closed 1006 terminated: shutGate, terminate, deliverClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: shutGate, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: shutGate, sendClose(1002 PROTOCOL_ERROR)
  idle.expired                  -> closing 1001 IDLE_TIMEOUT: shutGate, sendClose(1001 IDLE_TIMEOUT)
  lifetime.expired              -> closing 1001 LIFETIME_EXCEEDED: shutGate, sendClose(1001 LIFETIME_EXCEEDED)
  transport.closed              -> closed 1006 CONNECTION_RESET: shutGate, deliverClosed(1006 CONNECTION_RESET)
  pressure.high                 -> open(throttled reading probing): deliverThrottled
  read.pause                    -> open(flowing paused suspended): pauseReading
  heartbeat.missed              -> closed 1006 HEARTBEAT_LOST: shutGate, terminate, deliverClosed(1006 HEARTBEAT_LOST)
  peer.heard                    -> open(flowing reading alive): -
open(throttled paused suspended)
  upstream.failed               -> closing 1014 UPSTREAM_REFUSED: resumeReading, shutGate, sendClose(1014 UPSTREAM_REFUSED)
  receiver.failed               -> closing 1011 RECEIVER_FAILED: resumeReading, shutGate, sendClose(1011 RECEIVER_FAILED)
  close.request                 -> closing 1001 disconnected: resumeReading, shutGate, sendClose(1001 disconnected)
  terminate.request             -> closed 1006 terminated: resumeReading, shutGate, terminate, deliverClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: resumeReading, shutGate, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: resumeReading, shutGate, sendClose(1002 PROTOCOL_ERROR)
  idle.expired                  -> closing 1001 IDLE_TIMEOUT: resumeReading, shutGate, sendClose(1001 IDLE_TIMEOUT)
  lifetime.expired              -> closing 1001 LIFETIME_EXCEEDED: resumeReading, shutGate, sendClose(1001 LIFETIME_EXCEEDED)
  transport.closed              -> closed 1006 CONNECTION_RESET: resumeReading, shutGate, deliverClosed(1006 CONNECTION_RESET)
  pressure.low                  -> open(flowing paused suspended): deliverUnthrottled
  write.progressed              -> open(throttled paused suspended): -
  read.resume                   -> open(throttled reading alive): resumeReading
  after writeStallTimeout       -> closing 1008 WRITE_STALLED: resumeReading, shutGate, sendClose(1008 WRITE_STALLED)
open(throttled reading probing)
  upstream.failed               -> closing 1014 UPSTREAM_REFUSED: shutGate, sendClose(1014 UPSTREAM_REFUSED)
  receiver.failed               -> closing 1011 RECEIVER_FAILED: shutGate, sendClose(1011 RECEIVER_FAILED)
  close.request                 -> closing 1001 disconnected: shutGate, sendClose(1001 disconnected)
  terminate.request             -> closed 1006 terminated: shutGate, terminate, deliverClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: shutGate, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: shutGate, sendClose(1002 PROTOCOL_ERROR)
  idle.expired                  -> closing 1001 IDLE_TIMEOUT: shutGate, sendClose(1001 IDLE_TIMEOUT)
  lifetime.expired              -> closing 1001 LIFETIME_EXCEEDED: shutGate, sendClose(1001 LIFETIME_EXCEEDED)
  transport.closed              -> closed 1006 CONNECTION_RESET: shutGate, deliverClosed(1006 CONNECTION_RESET)
  pressure.low                  -> open(flowing reading probing): deliverUnthrottled
  write.progressed              -> open(throttled reading probing): -
  read.pause                    -> open(throttled paused suspended): pauseReading
  heartbeat.missed              -> closed 1006 HEARTBEAT_LOST: shutGate, terminate, deliverClosed(1006 HEARTBEAT_LOST)
  peer.heard                    -> open(throttled reading alive): -
  after writeStallTimeout       -> closing 1008 WRITE_STALLED: shutGate, sendClose(1008 WRITE_STALLED)
closing 1014 UPSTREAM_REFUSED
  close.request                 -> closing 1014 UPSTREAM_REFUSED: answerClose(1001 disconnected)
  protocol.violated             -> closed 1014 UPSTREAM_REFUSED: terminate, deliverClosed(1014 UPSTREAM_REFUSED)
  terminate.request             -> closed 1014 UPSTREAM_REFUSED: terminate, deliverClosed(1014 UPSTREAM_REFUSED)
  peer.closed                   -> closing 1014 UPSTREAM_REFUSED: finishClose
  transport.closed              -> closed 1014 UPSTREAM_REFUSED: deliverClosed(1014 UPSTREAM_REFUSED)
  after closeTimeout            -> closed 1014 UPSTREAM_REFUSED: terminate, deliverClosed(1014 UPSTREAM_REFUSED)
closing 1011 RECEIVER_FAILED
  close.request                 -> closing 1011 RECEIVER_FAILED: answerClose(1001 disconnected)
  protocol.violated             -> closed 1011 RECEIVER_FAILED: terminate, deliverClosed(1011 RECEIVER_FAILED)
  terminate.request             -> closed 1011 RECEIVER_FAILED: terminate, deliverClosed(1011 RECEIVER_FAILED)
  peer.closed                   -> closing 1011 RECEIVER_FAILED: finishClose
  transport.closed              -> closed 1011 RECEIVER_FAILED: deliverClosed(1011 RECEIVER_FAILED)
  after closeTimeout            -> closed 1011 RECEIVER_FAILED: terminate, deliverClosed(1011 RECEIVER_FAILED)
closing 1001 disconnected
  close.request                 -> closing 1001 disconnected: answerClose(1001 disconnected)
  protocol.violated             -> closed 1001 disconnected: terminate, deliverClosed(1001 disconnected)
  terminate.request             -> closed 1001 disconnected: terminate, deliverClosed(1001 disconnected)
  peer.closed                   -> closing 1001 disconnected: finishClose
  transport.closed              -> closed 1001 disconnected: deliverClosed(1001 disconnected)
  after closeTimeout            -> closed 1001 disconnected: terminate, deliverClosed(1001 disconnected)
closing 1000 closed
  close.request                 -> closing 1000 closed: answerClose(1001 disconnected)
  protocol.violated             -> closed 1000 closed: terminate, deliverClosed(1000 closed)
  terminate.request             -> closed 1000 closed: terminate, deliverClosed(1000 closed)
  peer.closed                   -> closing 1000 closed: finishClose
  transport.closed              -> closed 1000 closed: deliverClosed(1000 closed)
  after closeTimeout            -> closed 1000 closed: terminate, deliverClosed(1000 closed)
closing 1002 PROTOCOL_ERROR
  close.request                 -> closing 1002 PROTOCOL_ERROR: answerClose(1001 disconnected)
  protocol.violated             -> closed 1002 PROTOCOL_ERROR: terminate, deliverClosed(1002 PROTOCOL_ERROR)
  terminate.request             -> closed 1002 PROTOCOL_ERROR: terminate, deliverClosed(1002 PROTOCOL_ERROR)
  peer.closed                   -> closing 1002 PROTOCOL_ERROR: finishClose
  transport.closed              -> closed 1002 PROTOCOL_ERROR: deliverClosed(1002 PROTOCOL_ERROR)
  after closeTimeout            -> closed 1002 PROTOCOL_ERROR: terminate, deliverClosed(1002 PROTOCOL_ERROR)
closing 1001 IDLE_TIMEOUT
  close.request                 -> closing 1001 IDLE_TIMEOUT: answerClose(1001 disconnected)
  protocol.violated             -> closed 1001 IDLE_TIMEOUT: terminate, deliverClosed(1001 IDLE_TIMEOUT)
  terminate.request             -> closed 1001 IDLE_TIMEOUT: terminate, deliverClosed(1001 IDLE_TIMEOUT)
  peer.closed                   -> closing 1001 IDLE_TIMEOUT: finishClose
  transport.closed              -> closed 1001 IDLE_TIMEOUT: deliverClosed(1001 IDLE_TIMEOUT)
  after closeTimeout            -> closed 1001 IDLE_TIMEOUT: terminate, deliverClosed(1001 IDLE_TIMEOUT)
closing 1001 LIFETIME_EXCEEDED
  close.request                 -> closing 1001 LIFETIME_EXCEEDED: answerClose(1001 disconnected)
  protocol.violated             -> closed 1001 LIFETIME_EXCEEDED: terminate, deliverClosed(1001 LIFETIME_EXCEEDED)
  terminate.request             -> closed 1001 LIFETIME_EXCEEDED: terminate, deliverClosed(1001 LIFETIME_EXCEEDED)
  peer.closed                   -> closing 1001 LIFETIME_EXCEEDED: finishClose
  transport.closed              -> closed 1001 LIFETIME_EXCEEDED: deliverClosed(1001 LIFETIME_EXCEEDED)
  after closeTimeout            -> closed 1001 LIFETIME_EXCEEDED: terminate, deliverClosed(1001 LIFETIME_EXCEEDED)
closing 1008 WRITE_STALLED
  close.request                 -> closing 1008 WRITE_STALLED: answerClose(1001 disconnected)
  protocol.violated             -> closed 1008 WRITE_STALLED: terminate, deliverClosed(1008 WRITE_STALLED)
  terminate.request             -> closed 1008 WRITE_STALLED: terminate, deliverClosed(1008 WRITE_STALLED)
  peer.closed                   -> closing 1008 WRITE_STALLED: finishClose
  transport.closed              -> closed 1008 WRITE_STALLED: deliverClosed(1008 WRITE_STALLED)
  after closeTimeout            -> closed 1008 WRITE_STALLED: terminate, deliverClosed(1008 WRITE_STALLED)
`;

/** The edges of the `upstream` chart. */
export const upstreamEdges = `
dialling
  dial.succeeded                -> open(flowing reading alive): -
  dial.failed                   -> unreachable: announceUnreachable
  close.request                 -> unreachable: abortDial, announceUnreachable
  terminate.request             -> unreachable: abortDial, announceUnreachable
  after dialTimeout             -> unreachable: expireDial, abortDial, announceUnreachable
open(flowing reading alive)
  close.request                 -> closing 1001 closed: sendClose(1001 closed)
  terminate.request             -> closed 1006 terminated: terminate, announceClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: sendClose(1002 PROTOCOL_ERROR)
  transport.closed              -> closed 1006 UPSTREAM_LOST: announceClosed(1006 UPSTREAM_LOST)
  pressure.high                 -> open(throttled reading alive): -
  read.pause                    -> open(flowing paused suspended): pauseReading
  heartbeat.due                 -> open(flowing reading probing): sendPing
open(throttled reading alive)
  close.request                 -> closing 1001 closed: sendClose(1001 closed)
  terminate.request             -> closed 1006 terminated: terminate, announceClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: sendClose(1002 PROTOCOL_ERROR)
  transport.closed              -> closed 1006 UPSTREAM_LOST: announceClosed(1006 UPSTREAM_LOST)
  pressure.low                  -> open(flowing reading alive): -
  write.progressed              -> open(throttled reading alive): -
  read.pause                    -> open(throttled paused suspended): pauseReading
  heartbeat.due                 -> open(throttled reading probing): sendPing
  after writeStallTimeout       -> closed 1013 WRITE_STALLED: terminate, announceClosed(1013 WRITE_STALLED)
open(flowing paused suspended)
  close.request                 -> closing 1001 closed: resumeReading, sendClose(1001 closed)
  terminate.request             -> closed 1006 terminated: resumeReading, terminate, announceClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: resumeReading, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: resumeReading, sendClose(1002 PROTOCOL_ERROR)
  transport.closed              -> closed 1006 UPSTREAM_LOST: resumeReading, announceClosed(1006 UPSTREAM_LOST)
  pressure.high                 -> open(throttled paused suspended): -
  read.resume                   -> open(flowing reading alive): resumeReading
open(flowing reading probing)
  close.request                 -> closing 1001 closed: sendClose(1001 closed)
  terminate.request             -> closed 1006 terminated: terminate, announceClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: sendClose(1002 PROTOCOL_ERROR)
  transport.closed              -> closed 1006 UPSTREAM_LOST: announceClosed(1006 UPSTREAM_LOST)
  pressure.high                 -> open(throttled reading probing): -
  read.pause                    -> open(flowing paused suspended): pauseReading
  heartbeat.missed              -> closed 1006 HEARTBEAT_LOST: terminate, announceClosed(1006 HEARTBEAT_LOST)
  peer.heard                    -> open(flowing reading alive): -
open(throttled paused suspended)
  close.request                 -> closing 1001 closed: resumeReading, sendClose(1001 closed)
  terminate.request             -> closed 1006 terminated: resumeReading, terminate, announceClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: resumeReading, sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: resumeReading, sendClose(1002 PROTOCOL_ERROR)
  transport.closed              -> closed 1006 UPSTREAM_LOST: resumeReading, announceClosed(1006 UPSTREAM_LOST)
  pressure.low                  -> open(flowing paused suspended): -
  write.progressed              -> open(throttled paused suspended): -
  read.resume                   -> open(throttled reading alive): resumeReading
  after writeStallTimeout       -> closed 1013 WRITE_STALLED: resumeReading, terminate, announceClosed(1013 WRITE_STALLED)
open(throttled reading probing)
  close.request                 -> closing 1001 closed: sendClose(1001 closed)
  terminate.request             -> closed 1006 terminated: terminate, announceClosed(1006 terminated)
  peer.closed                   -> closing 1000 closed: sendClose(1000 closed)
  protocol.violated             -> closing 1002 PROTOCOL_ERROR: sendClose(1002 PROTOCOL_ERROR)
  transport.closed              -> closed 1006 UPSTREAM_LOST: announceClosed(1006 UPSTREAM_LOST)
  pressure.low                  -> open(flowing reading probing): -
  write.progressed              -> open(throttled reading probing): -
  read.pause                    -> open(throttled paused suspended): pauseReading
  heartbeat.missed              -> closed 1006 HEARTBEAT_LOST: terminate, announceClosed(1006 HEARTBEAT_LOST)
  peer.heard                    -> open(throttled reading alive): -
  after writeStallTimeout       -> closed 1013 WRITE_STALLED: terminate, announceClosed(1013 WRITE_STALLED)
closing 1001 closed
  close.request                 -> closing 1001 closed: answerClose(1001 closed)
  protocol.violated             -> closed 1001 closed: terminate, announceClosed(1001 closed)
  terminate.request             -> closed 1001 closed: terminate, announceClosed(1001 closed)
  peer.closed                   -> closing 1001 closed: finishClose
  transport.closed              -> closed 1001 closed: announceClosed(1001 closed)
  after closeTimeout            -> closed 1001 closed: terminate, announceClosed(1001 closed)
closing 1000 closed
  close.request                 -> closing 1000 closed: answerClose(1001 closed)
  protocol.violated             -> closed 1000 closed: terminate, announceClosed(1000 closed)
  terminate.request             -> closed 1000 closed: terminate, announceClosed(1000 closed)
  peer.closed                   -> closing 1000 closed: finishClose
  transport.closed              -> closed 1000 closed: announceClosed(1000 closed)
  after closeTimeout            -> closed 1000 closed: terminate, announceClosed(1000 closed)
closing 1002 PROTOCOL_ERROR
  close.request                 -> closing 1002 PROTOCOL_ERROR: answerClose(1001 closed)
  protocol.violated             -> closed 1002 PROTOCOL_ERROR: terminate, announceClosed(1002 PROTOCOL_ERROR)
  terminate.request             -> closed 1002 PROTOCOL_ERROR: terminate, announceClosed(1002 PROTOCOL_ERROR)
  peer.closed                   -> closing 1002 PROTOCOL_ERROR: finishClose
  transport.closed              -> closed 1002 PROTOCOL_ERROR: announceClosed(1002 PROTOCOL_ERROR)
  after closeTimeout            -> closed 1002 PROTOCOL_ERROR: terminate, announceClosed(1002 PROTOCOL_ERROR)
`;

/** The edges of the `supervisor` chart. */
export const supervisorEdges = `
starting
  listeners.bound               -> running(accepting beating): announceStarted, startHeartbeat
  listeners.failed              -> failed: closeListeners, announceFailed
  xstate.error.actor.connection -> starting: noteFailure
running(accepting beating)
  capacity.reached              -> running(full beating): -
  disconnect.all                -> running(accepting beating): disconnectAll
  stop.request                  -> draining: stopHeartbeat, closeListeners, drainConnections
  terminate.all                 -> running(accepting beating): terminateAll
  xstate.error.actor.connection -> running(accepting beating): noteFailure
running(full beating)
  capacity.freed                -> running(accepting beating): -
  disconnect.all                -> running(full beating): disconnectAll
  stop.request                  -> draining: stopHeartbeat, closeListeners, drainConnections
  terminate.all                 -> running(full beating): terminateAll
  xstate.error.actor.connection -> running(full beating): noteFailure
draining
  terminate.all                 -> draining: terminateAll
  connections.gone              -> stopped: announceStopped
  xstate.error.actor.connection -> draining: noteFailure
  after drainTimeout            -> draining: terminateAll
`;
